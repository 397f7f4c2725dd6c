//! What a resource is called from outside: its physical name, `Ref` and attributes, and back from an ARN to the name.

use serde_yaml_ng::Value as Yaml;

use super::{ACCOUNT, REGION};

/// A resource as it stands in the template.
pub(super) struct Resource {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) properties: Yaml,
    pub(super) metadata: Yaml,
    pub(super) condition: Option<String>,
    pub(super) deletion_policy: Option<String>,
    pub(super) replace_policy: Option<String>,
}

impl Resource {
    #[cfg(test)]
    pub(super) fn bare(id: &str, kind: &str, properties: Yaml) -> Self {
        Self {
            id: id.to_owned(),
            kind: kind.to_owned(),
            properties,
            metadata: Yaml::Null,
            condition: None,
            deletion_policy: None,
            replace_policy: None,
        }
    }

    /// The property in which this kind of resource names itself.
    pub(super) fn name_property(&self) -> Option<&Yaml> {
        let property = match self.kind.as_str() {
            "AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable" => "TableName",
            BUCKET => "BucketName",
            "AWS::SQS::Queue" => "QueueName",
            "AWS::Events::EventBus" | "AWS::Events::Rule" | "AWS::Scheduler::Schedule" => "Name",
            "AWS::Serverless::Function" | "AWS::Lambda::Function" => "FunctionName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            "AWS::IAM::Role" => "RoleName",
            "AWS::SNS::Topic" => "TopicName",
            "AWS::SecretsManager::Secret" => "Name",
            _ => return None,
        };
        self.properties.get(property)
    }
}

/// What a resource is called that does not name itself.
pub(super) fn own_name(resource: &Resource) -> String {
    // a bucket's name has no capital letters, whoever gives it
    if resource.kind == BUCKET { resource.id.to_lowercase() } else { resource.id.clone() }
}

/// A bucket.
pub(super) const BUCKET: &str = "AWS::S3::Bucket";
/// A nested stack.
pub(super) const STACK: &str = "AWS::CloudFormation::Stack";
/// A REST API.
pub(super) const API: &str = "AWS::Serverless::Api";

/// What `Ref` gives.
pub(super) fn reference(resource: &Resource, name: &str) -> String {
    match resource.kind.as_str() {
        "AWS::SQS::Queue" => queue_url(name),
        "AWS::SNS::Topic" => format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}"),
        "AWS::SecretsManager::Secret" => secret_arn(name),
        _ => name.to_owned(),
    }
}

/// What `Fn::GetAtt` gives; `None` for an attribute that has no meaning on one machine.
pub(super) fn attribute(resource: &Resource, name: &str, attribute: &str) -> Option<String> {
    let value = match (resource.kind.as_str(), attribute) {
        ("AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable", "Arn") => table_arn(name),
        ("AWS::DynamoDB::Table", "StreamArn") => stream_arn(name),
        (BUCKET, "Arn") => bucket_arn(name),
        ("AWS::SQS::Queue", "Arn") => queue_arn(name),
        ("AWS::SQS::Queue", "QueueName") => name.to_owned(),
        ("AWS::SQS::Queue", "QueueUrl") => queue_url(name),
        ("AWS::Events::EventBus", "Arn") => bus_arn(name),
        ("AWS::Events::EventBus", "Name") => name.to_owned(),
        ("AWS::Events::Rule", "Arn") => rule_arn(name),
        ("AWS::Serverless::Function" | "AWS::Lambda::Function", "Arn") => function_arn(name),
        ("AWS::Logs::LogGroup", "Arn") => format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"),
        ("AWS::IAM::Role", "Arn") => format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
        ("AWS::KMS::Key", "Arn") => format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{name}"),
        ("AWS::SNS::Topic", "TopicArn") => format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}"),
        ("AWS::SNS::Topic", "TopicName") => name.to_owned(),
        ("AWS::SecretsManager::Secret", "Id") => secret_arn(name),
        _ => return None,
    };
    Some(value)
}

/// The ARN of a table.
pub(crate) fn table_arn(name: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}")
}

/// The ARN of a table's stream.
pub(crate) fn stream_arn(table: &str) -> String {
    format!("{}/stream/local", table_arn(table))
}

/// The ARN of a bucket.
pub(crate) fn bucket_arn(name: &str) -> String {
    format!("arn:aws:s3:::{name}")
}

/// The ARN of a queue.
pub(crate) fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

fn queue_url(name: &str) -> String {
    format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}")
}

/// The ARN of a bus.
pub(crate) fn bus_arn(name: &str) -> String {
    format!("arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{name}")
}

/// The ARN of a rule.
pub(crate) fn rule_arn(name: &str) -> String {
    format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}")
}

/// The ARN of a function.
pub(crate) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

/// The ARN of a secret; the six characters at the end are AWS's, here they are always the same.
pub(crate) fn secret_arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-LOCAL0")
}

/// The queue that an ARN or a queue URL names.
pub(crate) fn queue_of(reference: &str) -> Option<&str> {
    let name = match reference.strip_prefix("arn:aws:sqs:") {
        Some(rest) => rest.rsplit(':').next(),
        None => reference.strip_prefix("https://sqs.").and_then(|rest| rest.rsplit('/').next()),
    };
    name.filter(|name| !name.is_empty())
}

/// The table whose stream an ARN names.
pub(super) fn stream_table_of(arn: &str) -> Option<&str> {
    let (table, _) = arn.strip_prefix("arn:aws:dynamodb:")?.split_once(":table/")?.1.split_once("/stream/")?;
    Some(table)
}

/// The function that an ARN names.
pub(super) fn function_of(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:aws:lambda:")?.split_once(":function:").map(|(_, name)| name)
}

/// The bus that a name or an ARN names.
pub(super) fn bus_of(reference: &str) -> &str {
    reference.split_once(":event-bus/").map_or(reference, |(_, name)| name)
}
