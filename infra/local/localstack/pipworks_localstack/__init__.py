"""Our part of LocalStack: functions as processes, DynamoDB Local from our copy, and no needless waiting."""
