//! State stores: SQLite embedded, DynamoDB on AWS.
