//! Publishing to an SNS topic: one message, as JSON for programs and as text for mailboxes.

use serde_json::json;

use crate::access::Aws;
use crate::fault::Fault;
use crate::quota::Api;

const PUBLISH: &str = "sns:Publish";
/// SNS cuts nothing: a longer subject is refused.
const LONGEST_SUBJECT: usize = 100;

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Subject of mails; what is no printable ASCII is left out, and what is too long is cut.
    pub subject: String,
    /// For programs (HTTP, Lambda, SQS).
    pub json: String,
    /// For mailboxes.
    pub text: String,
}

/// Publishes to the topic, in the topic's own region; gives the id of the message.
///
/// # Errors
/// Where SNS refuses, with the action that is missing.
pub async fn publish(aws: &Aws, topic: &str, message: &Message) -> Result<String, Fault> {
    let region = topic
        .split(':')
        .nth(3)
        .filter(|region| !region.is_empty())
        .ok_or_else(|| Fault::other(PUBLISH, "not a valid SNS topic ARN", topic))?;
    let client = aws_sdk_sns::Client::new(&aws.own().within(region));
    let subject: String = message
        .subject
        .chars()
        .filter(|letter| letter.is_ascii_graphic() || *letter == ' ')
        .take(LONGEST_SUBJECT)
        .collect();
    let body = json!({"default": message.json, "email": message.text}).to_string();
    let answer = aws
        .call(aws.own(), region, Api::Account, async || {
            let request = client.publish().topic_arn(topic).subject(&subject);
            let sent = request.message_structure("json").message(&body).send().await;
            sent.map_err(|error| Fault::of(PUBLISH, error))
        })
        .await?;
    Ok(answer.message_id().unwrap_or_default().to_owned())
}
