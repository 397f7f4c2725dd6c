//! CloudFormation's intrinsic functions, short (`!Ref`) and long (`Fn::Ref`) form, resolved to plain JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use serde_yaml_ng::Value as Yaml;

use super::fields::scalar;
use super::resources::{Resource, STACK, attribute, own_name, reference};
use super::{ACCOUNT, REGION, TemplateError};

/// Deeper nesting than this is a reference that leads to itself.
const DEPTH_MAX: usize = 32;

/// Everything that an expression can refer to.
#[derive(Default)]
pub(super) struct Scope {
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) conditions: BTreeMap<String, Yaml>,
    pub(super) mappings: Option<Yaml>,
    pub(super) resources: BTreeMap<String, Resource>,
    /// What nested stacks gave, by their logical id.
    pub(super) outputs: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) stack: String,
}

/// A value, or nothing where `AWS::NoValue` stands.
type Resolved = Result<Option<Value>, String>;

impl Scope {
    /// Resolves one resource's value.
    pub(super) fn resolve(&self, resource: &str, value: &Yaml) -> Result<Option<Value>, TemplateError> {
        self.value(value, 0).map_err(|fault| TemplateError::Resource { resource: resource.to_owned(), fault })
    }

    /// Whether a named condition holds.
    pub(super) fn condition(&self, name: &str) -> Result<bool, TemplateError> {
        self.holds_named(name, 0)
            .map_err(|fault| TemplateError::Resource { resource: format!("condition {name}"), fault })
    }

    fn value(&self, value: &Yaml, depth: usize) -> Resolved {
        if depth > DEPTH_MAX {
            return Err("refers to itself or is nested too deeply".to_owned());
        }
        match value {
            Yaml::Null => Ok(Some(Value::Null)),
            Yaml::Bool(flag) => Ok(Some(Value::Bool(*flag))),
            Yaml::Number(number) => number_value(number).map(Some),
            Yaml::String(text) => Ok(Some(Value::String(text.clone()))),
            Yaml::Sequence(items) => self.sequence(items, depth),
            Yaml::Tagged(tagged) => {
                let tag = tagged.tag.to_string();
                let name = tag.trim_start_matches('!');
                self.call(&long_name(name), &tagged.value, depth)
            }
            Yaml::Mapping(map) => {
                if let (1, Some((Yaml::String(key), argument))) = (map.len(), map.iter().next())
                    && (key == "Ref" || key.starts_with("Fn::"))
                {
                    return self.call(key, argument, depth);
                }
                self.mapping(map, depth)
            }
        }
    }

    fn sequence(&self, items: &[Yaml], depth: usize) -> Resolved {
        let mut resolved = Vec::with_capacity(items.len());
        for item in items {
            resolved.extend(self.value(item, depth + 1)?);
        }
        Ok(Some(Value::Array(resolved)))
    }

    fn mapping(&self, map: &serde_yaml_ng::Mapping, depth: usize) -> Resolved {
        let mut resolved = Map::new();
        for (key, value) in map {
            let key = yaml_scalar(key).ok_or("has a key that is not a text")?;
            if let Some(value) = self.value(value, depth + 1)? {
                resolved.insert(key, value);
            }
        }
        Ok(Some(Value::Object(resolved)))
    }

    fn call(&self, function: &str, argument: &Yaml, depth: usize) -> Resolved {
        let depth = depth + 1;
        match function {
            "Ref" => self.reference(&self.text(argument, depth)?, depth),
            "Fn::GetAtt" => {
                let (resource, name) = self.attribute_name(argument, depth)?;
                self.attribute(&resource, &name, depth).map(|text| Some(Value::String(text)))
            }
            "Fn::Sub" => self.substitute(argument, depth).map(|text| Some(Value::String(text))),
            "Fn::Join" => self.join(argument, depth),
            "Fn::Select" => self.select(argument, depth),
            "Fn::Split" => self.split(argument, depth),
            "Fn::FindInMap" => self.find_in_map(argument, depth),
            "Fn::If" => {
                let [condition, then, otherwise] = arguments(argument, "Fn::If")?;
                let holds = self.holds_named(&self.text(condition, depth)?, depth)?;
                self.value(if holds { then } else { otherwise }, depth)
            }
            "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" => {
                self.holds(function, argument, depth).map(|holds| Some(Value::Bool(holds)))
            }
            other => Err(format!("uses {other}, which the local host does not evaluate")),
        }
    }

    fn text(&self, value: &Yaml, depth: usize) -> Result<String, String> {
        let resolved = self.value(value, depth)?.ok_or("is AWS::NoValue where a text is needed")?;
        scalar(&resolved).ok_or_else(|| "is not a text".to_owned())
    }

    fn reference(&self, name: &str, depth: usize) -> Resolved {
        let pseudo = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::Region" => Some(REGION),
            "AWS::AccountId" => Some(ACCOUNT),
            "AWS::Partition" => Some("aws"),
            "AWS::URLSuffix" => Some("amazonaws.com"),
            "AWS::StackName" => Some(self.stack.as_str()),
            _ => None,
        };
        let text = match (pseudo, self.parameters.get(name), self.resources.get(name)) {
            (Some(text), ..) => text.to_owned(),
            (None, Some(text), _) => text.clone(),
            (None, None, Some(resource)) => reference(resource, &self.physical_name(resource, depth)?),
            (None, None, None) => return Err(format!("refers to {name}, which is not in the template")),
        };
        Ok(Some(Value::String(text)))
    }

    fn attribute_name(&self, argument: &Yaml, depth: usize) -> Result<(String, String), String> {
        if let Yaml::Sequence(items) = argument {
            let [resource, name] = items.as_slice() else {
                return Err("Fn::GetAtt needs a resource and an attribute".to_owned());
            };
            return Ok((self.text(resource, depth)?, self.text(name, depth)?));
        }
        let text = self.text(argument, depth)?;
        let (resource, name) = text.split_once('.').ok_or("Fn::GetAtt needs a resource and an attribute")?;
        Ok((resource.to_owned(), name.to_owned()))
    }

    fn attribute(&self, resource: &str, name: &str, depth: usize) -> Result<String, String> {
        let found = self.resources.get(resource).ok_or_else(|| format!("refers to {resource}, which is not there"))?;
        if let (STACK, Some(output)) = (found.kind.as_str(), name.strip_prefix("Outputs.")) {
            let value = self.outputs.get(resource).and_then(|outputs| outputs.get(output));
            return value.cloned().ok_or_else(|| format!("stack {resource} has no output {output}"));
        }
        let physical = self.physical_name(found, depth)?;
        attribute(found, &physical, name).ok_or_else(|| format!("{resource} has no attribute {name} locally"))
    }

    /// The name that the resource gives itself, else one made of its logical id.
    fn physical_name(&self, resource: &Resource, depth: usize) -> Result<String, String> {
        match resource.name_property() {
            Some(name) => self.text(name, depth + 1),
            None => Ok(own_name(resource)),
        }
    }

    fn substitute(&self, argument: &Yaml, depth: usize) -> Result<String, String> {
        let mut own = BTreeMap::new();
        let text = match argument {
            Yaml::Sequence(items) => {
                let [Yaml::String(text), Yaml::Mapping(variables)] = items.as_slice() else {
                    return Err("Fn::Sub needs a text and a map".to_owned());
                };
                for (key, value) in variables {
                    let key = yaml_scalar(key).ok_or("Fn::Sub has a variable without a name")?;
                    own.insert(key, self.text(value, depth)?);
                }
                text
            }
            Yaml::String(text) => text,
            _ => return Err("Fn::Sub needs a text".to_owned()),
        };
        let mut result = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}').ok_or("Fn::Sub has an open ${")?;
            result.push_str(before);
            result.push_str(&self.variable(name.trim(), &own, depth)?);
            rest = tail;
        }
        result.push_str(rest);
        Ok(result)
    }

    fn variable(&self, name: &str, own: &BTreeMap<String, String>, depth: usize) -> Result<String, String> {
        if let Some(literal) = name.strip_prefix('!') {
            return Ok(format!("${{{literal}}}"));
        }
        if let Some(value) = own.get(name) {
            return Ok(value.clone());
        }
        if let Some((resource, attribute)) = name.split_once('.') {
            return self.attribute(resource, attribute, depth);
        }
        let value = self.reference(name, depth)?.ok_or("Fn::Sub cannot hold AWS::NoValue")?;
        scalar(&value).ok_or_else(|| format!("{name} is not a text"))
    }

    fn join(&self, argument: &Yaml, depth: usize) -> Resolved {
        let [separator, items] = arguments(argument, "Fn::Join")?;
        let items = self.texts(items, depth)?;
        Ok(Some(Value::String(items.join(&self.text(separator, depth)?))))
    }

    fn select(&self, argument: &Yaml, depth: usize) -> Resolved {
        let [index, items] = arguments(argument, "Fn::Select")?;
        let index: usize = self.text(index, depth)?.parse().map_err(|_| "Fn::Select needs a number")?;
        match self.value(items, depth)? {
            Some(Value::Array(items)) => {
                items.into_iter().nth(index).map(Some).ok_or_else(|| "Fn::Select is out of range".to_owned())
            }
            _ => Err("Fn::Select needs a list".to_owned()),
        }
    }

    fn split(&self, argument: &Yaml, depth: usize) -> Resolved {
        let [separator, text] = arguments(argument, "Fn::Split")?;
        let (separator, text) = (self.text(separator, depth)?, self.text(text, depth)?);
        Ok(Some(text.split(separator.as_str()).map(|part| Value::String(part.to_owned())).collect()))
    }

    fn find_in_map(&self, argument: &Yaml, depth: usize) -> Resolved {
        let [map, first, second] = arguments(argument, "Fn::FindInMap")?;
        let (map, first, second) = (self.text(map, depth)?, self.text(first, depth)?, self.text(second, depth)?);
        let found = self.mappings.as_ref().and_then(|all| all.get(&map)?.get(&first)?.get(&second));
        self.value(found.ok_or_else(|| format!("mapping {map} has no {first}.{second}"))?, depth)
    }

    fn texts(&self, value: &Yaml, depth: usize) -> Result<Vec<String>, String> {
        match self.value(value, depth)? {
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| scalar(item).ok_or_else(|| "has a list of other than texts".to_owned()))
                .collect(),
            _ => Err("is not a list".to_owned()),
        }
    }

    fn holds_named(&self, name: &str, depth: usize) -> Result<bool, String> {
        let condition = self.conditions.get(name).ok_or_else(|| format!("condition {name} is not in the template"))?;
        self.holds_value(condition, depth + 1)
    }

    fn holds_value(&self, condition: &Yaml, depth: usize) -> Result<bool, String> {
        if depth > DEPTH_MAX {
            return Err("has a condition that refers to itself".to_owned());
        }
        let (function, argument) = match condition {
            Yaml::Tagged(tagged) => (long_name(tagged.tag.to_string().trim_start_matches('!')), &tagged.value),
            Yaml::Mapping(map) if map.len() == 1 => {
                let (key, argument) = map.iter().next().ok_or("has an empty condition")?;
                (yaml_scalar(key).ok_or("has a condition without a name")?, argument)
            }
            _ => return Err("has something that is not a condition".to_owned()),
        };
        self.holds(&function, argument, depth)
    }

    fn holds(&self, function: &str, argument: &Yaml, depth: usize) -> Result<bool, String> {
        let parts = || match argument {
            Yaml::Sequence(items) if !items.is_empty() => Ok(items.as_slice()),
            _ => Err(format!("{function} needs a list")),
        };
        match function {
            "Condition" => self.holds_named(&self.text(argument, depth)?, depth),
            "Fn::Equals" => {
                let [left, right] = arguments(argument, function)?;
                Ok(self.text(left, depth)? == self.text(right, depth)?)
            }
            "Fn::Not" => {
                let [inner] = arguments(argument, function)?;
                self.holds_value(inner, depth + 1).map(|holds| !holds)
            }
            "Fn::And" => parts()?.iter().try_fold(true, |all, part| Ok(self.holds_value(part, depth + 1)? && all)),
            "Fn::Or" => parts()?.iter().try_fold(false, |any, part| Ok(self.holds_value(part, depth + 1)? || any)),
            other => Err(format!("{other} is not a condition")),
        }
    }
}

/// `Ref` and `Condition` keep their name, every other short form is `Fn::` and the name.
fn long_name(short: &str) -> String {
    match short {
        "Ref" | "Condition" => short.to_owned(),
        other => format!("Fn::{other}"),
    }
}

fn arguments<'a, const N: usize>(argument: &'a Yaml, function: &str) -> Result<[&'a Yaml; N], String> {
    let fault = || format!("{function} needs a list of {N}");
    let Yaml::Sequence(items) = argument else { return Err(fault()) };
    let items: Vec<&Yaml> = items.iter().collect();
    items.try_into().map_err(|_| fault())
}

fn yaml_scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn number_value(number: &serde_yaml_ng::Number) -> Result<Value, String> {
    serde_json::to_value(number).map_err(|_| format!("{number} is not a number that JSON has"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let resource = |id: &str, kind: &str, properties: &str| {
            let properties = serde_yaml_ng::from_str(properties).unwrap();
            (id.to_owned(), Resource::bare(id, kind, properties))
        };
        Scope {
            parameters: [("Stage".to_owned(), "dev".to_owned()), ("Topic".to_owned(), String::new())].into(),
            conditions: serde_yaml_ng::from_str(
                "{HasTopic: !Not [!Equals [!Ref Topic, '']], Prod: !Equals [!Ref Stage, prod], \
                 Either: !Or [!Condition HasTopic, {Condition: Prod}, !Equals [a, a]]}",
            )
            .unwrap(),
            mappings: Some(serde_yaml_ng::from_str("{Size: {dev: {memory: 128}}}").unwrap()),
            resources: [
                resource("Crm", "AWS::DynamoDB::Table", "{TableName: !Sub '${AWS::StackName}-crm-${Stage}'}"),
                resource("Work", "AWS::SQS::Queue", "{}"),
                resource("Data", "AWS::CloudFormation::Stack", "{}"),
            ]
            .into(),
            outputs: [("Data".to_owned(), [("Bus".to_owned(), "pipworks-dev".to_owned())].into())].into(),
            stack: "pipworks".to_owned(),
        }
    }

    fn resolve(text: &str) -> Result<Option<Value>, String> {
        let value: Yaml = serde_yaml_ng::from_str(text).unwrap();
        scope().value(&value, 0)
    }

    #[test]
    fn both_forms_of_a_function_give_the_same() {
        for (text, expected) in [
            ("!Ref Crm", json!("pipworks-crm-dev")),
            ("{Ref: Crm}", json!("pipworks-crm-dev")),
            ("!GetAtt Crm.Arn", json!("arn:aws:dynamodb:eu-west-1:000000000000:table/pipworks-crm-dev")),
            ("{'Fn::GetAtt': [Crm, Arn]}", json!("arn:aws:dynamodb:eu-west-1:000000000000:table/pipworks-crm-dev")),
            (
                "!Sub '${Crm.Arn}/index/due'",
                json!("arn:aws:dynamodb:eu-west-1:000000000000:table/pipworks-crm-dev/index/due"),
            ),
            (
                "!Sub ['${A}-${Stage}-${!keep}', {A: !Ref Work}]",
                json!("https://sqs.eu-west-1.amazonaws.com/000000000000/Work-dev-${keep}"),
            ),
            ("!Join ['-', [a, !Ref Stage, 3]]", json!("a-dev-3")),
            ("!GetAtt Data.Outputs.Bus", json!("pipworks-dev")),
            ("{'Fn::GetAtt': [Data, Outputs.Bus]}", json!("pipworks-dev")),
            ("!Select [1, !Split [',', 'a,b']]", json!("b")),
            ("!FindInMap [Size, !Ref Stage, memory]", json!(128)),
            ("!If [HasTopic, yes it has, !If [Either, no, never]]", json!("no")),
        ] {
            assert_eq!(resolve(text), Ok(Some(expected)), "{text}");
        }
    }

    #[test]
    fn no_value_leaves_the_key_out() {
        assert_eq!(
            resolve("{a: !If [Prod, 1, !Ref 'AWS::NoValue'], b: [!Ref AWS::NoValue, 2]}"),
            Ok(Some(json!({"b": [2]})))
        );
    }

    #[test]
    fn what_cannot_be_resolved_says_why() {
        for (text, fault) in [
            ("!Ref Nothing", "refers to Nothing, which is not in the template"),
            ("!GetAtt Crm.Nothing", "Crm has no attribute Nothing locally"),
            ("!GetAtt Data.Outputs.Nothing", "stack Data has no output Nothing"),
            ("!ImportValue x", "uses Fn::ImportValue, which the local host does not evaluate"),
            ("!If [Nothing, a, b]", "condition Nothing is not in the template"),
            ("!Sub '${Stage'", "Fn::Sub has an open ${"),
        ] {
            assert_eq!(resolve(text), Err(fault.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_name_that_refers_to_itself_is_refused() {
        let mut scope = scope();
        let own = serde_yaml_ng::from_str("{QueueName: !GetAtt Loop.QueueName}").unwrap();
        scope.resources.insert("Loop".to_owned(), Resource::bare("Loop", "AWS::SQS::Queue", own));
        let fault = scope.value(&serde_yaml_ng::from_str("!Ref Loop").unwrap(), 0);
        assert_eq!(fault, Err("refers to itself or is nested too deeply".to_owned()));
    }
}
