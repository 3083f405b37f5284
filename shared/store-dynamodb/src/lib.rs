//! The tables in DynamoDB and the queue in SQS.
