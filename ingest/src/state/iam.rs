//! Answers of `aws iam`: roles and users, and that one is gone, in the shape that the API's snapshot has.
//!
//! A list of roles is complete where nothing was left off (`IsTruncated`, `Marker`, `NextToken`) and it has the role that every
//! account has and nobody can delete, `AWSServiceRoleForSupport`: one asked for a path has it not. Users have no such member.

use eksplain_parse::arn::Arn;
use eksplain_parse::time::{format_rfc3339, parse_rfc3339};
use serde_json::{Value, json};

use super::{LIST, Seen, State, complete_list, pick, text};
use crate::place::{Place, is_account};

const IN_EVERY_ACCOUNT: &str = "AWSServiceRoleForSupport";
const NO_ACCOUNT: &str = "IAM output that names no account: add --account";

/// Roles or users.
#[derive(Clone, Copy)]
struct Noun {
    kind: &'static str,
    one: &'static str,
    all: &'static str,
    name: &'static str,
    list: &'static str,
    path: &'static str,
    fields: &'static [&'static str],
}

const ROLE: Noun = Noun {
    kind: "iam_role",
    one: "Role",
    all: "Roles",
    name: "RoleName",
    list: "iam_roles",
    path: "role",
    fields: &[
        "RoleName",
        "RoleId",
        "Arn",
        "Path",
        "CreateDate",
        "MaxSessionDuration",
        "AssumeRolePolicyDocument",
    ],
};
const USER: Noun = Noun {
    kind: "iam_user",
    one: "User",
    all: "Users",
    name: "UserName",
    list: "iam_users",
    path: "user",
    fields: &["UserName", "UserId", "Arn", "Path", "CreateDate"],
};

/// Reads an answer of the IAM API.
pub(super) fn read(document: &Value, account: Option<&str>) -> Option<Result<State, String>> {
    if let Some(message) = text(&document["Error"], "Message").filter(|_| document["Error"]["Code"] == "NoSuchEntity") {
        return gone(message, account);
    }
    for noun in [ROLE, USER] {
        if document[noun.one].is_object() {
            let seen = principal(noun, &document[noun.one])?;
            return Some(Ok(State {
                seen: vec![seen],
                others: 0,
            }));
        }
        if let Some(items) = document[noun.all].as_array() {
            let mut seen: Vec<Seen> = items.iter().map(|item| principal(noun, item)).collect::<Option<_>>()?;
            seen.extend(list(noun, document, &seen));
            return Some(Ok(State { seen, others: 0 }));
        }
    }
    None
}

/// `An error occurred (NoSuchEntity) when calling the GetRole operation: The role with name X cannot be found.`
pub(super) fn read_message(text: &str, account: Option<&str>) -> Option<Result<State, String>> {
    let text = text.trim();
    let text = text.strip_prefix("aws: [ERROR]: ").unwrap_or(text);
    let rest = text.strip_prefix("An error occurred (NoSuchEntity) when calling the ")?;
    let (operation, message) = rest.split_once(" operation: ")?;
    matches!(operation, "GetRole" | "GetUser").then_some(())?;
    gone(message, account)
}

/// The record of a principal that IAM does not know.
fn gone(message: &str, account: Option<&str>) -> Option<Result<State, String>> {
    let rest = message.strip_prefix("The ")?;
    let (noun, rest) = [("role", ROLE), ("user", USER)]
        .into_iter()
        .find_map(|(word, noun)| Some((noun, rest.strip_prefix(word)?.strip_prefix(" with name ")?)))?;
    let name = rest
        .strip_suffix('.')
        .unwrap_or(rest)
        .strip_suffix(" cannot be found")?;
    // The characters of IAM's names: a message is text, and this is all that it is trusted with.
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b));
    is_name.then_some(())?;
    let Some(account) = account.filter(|account| is_account(account)) else {
        return Some(Err(NO_ACCOUNT.to_owned()));
    };
    let body = json!({
        "exists": false,
        noun.name: name,
        "Arn": format!("arn:aws:iam::{account}:{}/{name}", noun.path),
        "Error": {"Code": "NoSuchEntity", "Message": message},
    });
    let place = Place {
        account: Some(account.to_owned()),
        ..Place::default()
    };
    Some(Ok(State {
        seen: vec![Seen::of_account(noun.kind, name, body, place)],
        others: 0,
    }))
}

fn principal(noun: Noun, object: &Value) -> Option<Seen> {
    let name = text(object, noun.name)?;
    let account = Arn::parse(text(object, "Arn")?).ok()?.account;
    let mut body = pick(object, noun.fields);
    if let Some(created) = text(object, "CreateDate").and_then(parse_rfc3339) {
        body["CreateDate"] = format_rfc3339(created).into();
    }
    if let Some(used) = text(&object["RoleLastUsed"], "LastUsedDate").filter(|_| noun.one == ROLE.one) {
        body["LastUsed"] = parse_rfc3339(used)
            .map_or_else(|| used.to_owned(), format_rfc3339)
            .into();
    }
    let place = Place {
        account: Some(account.to_owned()).filter(|account| is_account(account)),
        ..Place::default()
    };
    Some(Seen::of_account(noun.kind, name, body, place))
}

/// The record that says that these are all.
fn list(noun: Noun, document: &Value, seen: &[Seen]) -> Option<Seen> {
    let is_cut =
        document["IsTruncated"] == true || ["Marker", "NextToken"].iter().any(|key| text(document, key).is_some());
    let names: Vec<&str> = seen.iter().map(|object| object.name.as_str()).collect();
    if is_cut || noun.one != ROLE.one || !names.contains(&IN_EVERY_ACCOUNT) {
        return None;
    }
    let place = seen.first()?.place.clone();
    Some(Seen::of_account(
        LIST,
        noun.list,
        complete_list(&names, json!({"of": noun.kind})),
        place,
    ))
}
