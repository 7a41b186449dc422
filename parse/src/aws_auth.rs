//! The aws-auth ConfigMap as the authenticator reads it.
//!
//! Rule: aws-iam-authenticator `pkg/mapper/configmap/configmap.go` (`ParseMap`) and `pkg/config/mapper.go`. Each of the three
//! keys is read on its own: a YAML error in one drops that whole section, at once for everybody in it; an entry of a wrong
//! shape keeps what could be decoded; an entry without ARN is dropped alone.
//!
//! ```
//! use eksplain_parse::aws_auth::{AwsAuthData, parse};
//! let auth = parse(&AwsAuthData { map_roles: Some("- rolearn: arn:aws:iam::111122223333:role/Ops\n  groups: [system:masters]\n"), ..Default::default() });
//! assert_eq!(auth.mappings[0].groups, ["system:masters"]);
//! ```

use std::borrow::Cow;

use serde_json::Value;

use crate::arn::{Arn, PARTITIONS};
use crate::glob::glob_matches;

/// The three texts of the ConfigMap.
#[derive(Debug, Clone, Copy, Default)]
pub struct AwsAuthData<'a> {
    /// `data.mapRoles`
    pub map_roles: Option<&'a str>,
    /// `data.mapUsers`
    pub map_users: Option<&'a str>,
    /// `data.mapAccounts`
    pub map_accounts: Option<&'a str>,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// `mapRoles`
    Roles,
    /// `mapUsers`
    Users,
    /// `mapAccounts`
    Accounts,
}

impl Section {
    /// The ConfigMap's key.
    pub fn as_str(self) -> &'static str {
        match self {
            Section::Roles => "mapRoles",
            Section::Users => "mapUsers",
            Section::Accounts => "mapAccounts",
        }
    }
}

/// One entry of mapRoles or mapUsers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Where it stands.
    pub section: Section,
    /// As written; for an `sso` entry the pattern that the authenticator makes of it.
    pub arn: String,
    /// May hold templates.
    pub username: String,
    /// May hold templates.
    pub groups: Vec<String>,
    /// The ARN is a pattern made of an `sso` entry.
    pub is_sso: bool,
}

impl Mapping {
    /// Whether this entry is the caller's, as the authenticator compares: letters folded, a user's path kept; the entry's
    /// own ARN is taken as written, so one with a session, a role's path or a wildcard matches nobody.
    pub fn matches(&self, caller: &Arn<'_>) -> bool {
        let Some(matching) = caller.matching() else {
            return false;
        };
        if self.is_sso {
            glob_matches(&self.arn, &matching)
        } else {
            equal_fold(&self.arn, &matching)
        }
    }

    /// The ARN of the callers that the entry is for, in the spelling of IAM: `arn`, `iam` and `role` in small letters, the name as
    /// written. `None` where no caller's ARN can equal it, whoever calls: rules of IAM for names, accounts and kinds.
    ///
    /// ```
    /// use eksplain_parse::aws_auth::caller_arn;
    /// assert_eq!(caller_arn("ARN:aws:iam::111122223333:Role/Ops").as_deref(), Some("arn:aws:iam::111122223333:role/Ops"));
    /// assert_eq!(caller_arn("arn:aws:iam::111122223333:role/team/Ops"), None);
    /// assert_eq!(caller_arn("arn:aws:iam::11112222333:role/Ops"), None);
    /// ```
    pub fn caller_arn(&self) -> Option<String> {
        caller_arn(&self.arn)
    }
}

/// [`Mapping::caller_arn`] of the text of an ARN.
pub fn caller_arn(text: &str) -> Option<String> {
    let text = folded(text);
    let mut parts = text.splitn(6, ':');
    let mut lower = || parts.next().map(str::to_lowercase);
    let (prefix, partition, service, region, account) = (lower()?, lower()?, lower()?, lower()?, lower()?);
    let resource = parts.next()?;
    if prefix != "arn" || !PARTITIONS.contains(&partition.as_str()) || !region.is_empty() || !is_account(&account) {
        return None;
    }
    let (noun, name) = resource.split_once('/').unwrap_or((resource, ""));
    let noun = noun.to_lowercase();
    let resource = match (service.as_str(), noun.as_str()) {
        ("iam", "root") if resource.len() == noun.len() => noun,
        ("iam", "role") | ("sts", "federated-user") if is_name(name) => format!("{noun}/{name}"),
        ("iam", "user") => {
            let (path, last) = name.rsplit_once('/').unwrap_or(("", name));
            let is_path = path.bytes().all(|b| (b'!'..=b'~').contains(&b));
            if !is_path || !is_name(last) {
                return None;
            }
            format!("{noun}/{name}")
        }
        _ => return None,
    };
    Some(format!("arn:{partition}:{service}::{account}:{resource}"))
}

/// Whether IAM takes it as the name of a user or role.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}

/// Whether it is an account id.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Go's `strings.EqualFold` where one side has letters of ASCII only, as callers' ARNs have.
fn equal_fold(text: &str, ascii: &str) -> bool {
    folded(text).eq_ignore_ascii_case(ascii)
}

/// The two letters beyond ASCII that fold to one of ASCII.
fn folded(text: &str) -> Cow<'_, str> {
    const KELVIN: char = '\u{212a}';
    const LONG_S: char = '\u{17f}';
    match text.contains([KELVIN, LONG_S]) {
        true => Cow::Owned(text.replace(KELVIN, "k").replace(LONG_S, "s")),
        false => Cow::Borrowed(text),
    }
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsAuthProblem {
    /// Where.
    pub section: Section,
    /// Index of the entry, from 0; `None` for the section as a whole.
    pub entry: Option<usize>,
    /// What.
    pub message: String,
    /// Every entry of the section is gone.
    pub lost_section: bool,
}

/// What the authenticator makes of an aws-auth ConfigMap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsAuth {
    /// In the order of lookup: roles, then users; of equal role ARNs only the last.
    pub mappings: Vec<Mapping>,
    /// Accounts whose every principal may log in.
    pub accounts: Vec<String>,
    /// What could not be used.
    pub problems: Vec<AwsAuthProblem>,
    /// Keys beside the three that are read, each with the one that it was meant to be: `maproles` for mapRoles.
    pub unread_keys: Vec<(String, Section)>,
}

impl AwsAuth {
    /// The entry that decides for a caller.
    pub fn find(&self, caller: &Arn<'_>) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.matches(caller))
    }

    /// Whether a section was dropped as a whole.
    pub fn lost(&self, section: Section) -> bool {
        self.problems.iter().any(|p| p.section == section && p.lost_section)
    }
}

/// Reads the three sections.
pub fn parse(data: &AwsAuthData<'_>) -> AwsAuth {
    let mut auth = AwsAuth::default();
    for (section, text) in [
        (Section::Roles, data.map_roles),
        (Section::Users, data.map_users),
        (Section::Accounts, data.map_accounts),
    ] {
        let text = text.unwrap_or_default();
        if matches!(text.trim(), "" | "''" | "\"\"" | "``") {
            continue;
        }
        match serde_saphyr::from_str::<Value>(text) {
            Ok(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let problem = match section {
                        Section::Accounts => account(item, &mut auth.accounts),
                        _ => entry(section, item, &mut auth.mappings),
                    };
                    auth.problems.extend(problem.map(|message| AwsAuthProblem {
                        section,
                        entry: Some(index),
                        message,
                        lost_section: false,
                    }));
                }
            }
            Ok(Value::Null) => {}
            Ok(_) => auth
                .problems
                .push(lost(section, format!("{} is not a list", section.as_str()))),
            Err(error) => auth.problems.push(lost(section, first_line(&error.to_string()))),
        }
    }
    auth
}

/// Reads the JSON of a ConfigMap object (`{"data": {"mapRoles": "…"}}`).
///
/// # Errors
/// Where the text is not JSON.
pub fn parse_config_map(json: &str) -> Result<AwsAuth, serde_json::Error> {
    let object: Value = serde_json::from_str(json)?;
    let text = |key: &str| object["data"][key].as_str();
    // The values of a ConfigMap are strings: the API server refuses the whole object otherwise, so nothing of it counts.
    let odd = object["data"]
        .as_object()
        .and_then(|data| data.iter().find(|(_, value)| !value.is_string() && !value.is_null()));
    if let Some((key, _)) = odd {
        let sections = [Section::Roles, Section::Users, Section::Accounts];
        let problems = sections.map(|section| {
            lost(
                section,
                format!("data.{key} is not a string, so this is not a valid ConfigMap"),
            )
        });
        return Ok(AwsAuth {
            problems: problems.to_vec(),
            ..AwsAuth::default()
        });
    }
    let mut auth = parse(&AwsAuthData {
        map_roles: text("mapRoles"),
        map_users: text("mapUsers"),
        map_accounts: text("mapAccounts"),
    });
    let keys = object["data"].as_object().into_iter().flatten();
    auth.unread_keys = keys
        .filter_map(|(key, value)| Some((key.clone(), meant(key, value.as_str()?)?)))
        .collect();
    Ok(auth)
}

/// The section that a key was meant to be which nothing reads: by its name, or by entries that only that section has.
fn meant(key: &str, text: &str) -> Option<Section> {
    const SECTIONS: [Section; 3] = [Section::Roles, Section::Users, Section::Accounts];
    if SECTIONS.iter().any(|section| section.as_str() == key) {
        return None;
    }
    let letters = |word: &str| -> String {
        let letters = word
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase());
        letters.collect::<String>().trim_end_matches('s').to_owned()
    };
    if let Some(section) = SECTIONS
        .into_iter()
        .find(|section| letters(section.as_str()) == letters(key))
    {
        return Some(section);
    }
    let Ok(Value::Array(items)) = serde_saphyr::from_str::<Value>(text) else {
        return None;
    };
    let has = |name: &str| {
        let objects = items.iter().filter_map(Value::as_object);
        objects
            .flat_map(|object| object.keys())
            .any(|key| key.eq_ignore_ascii_case(name))
    };
    [("rolearn", Section::Roles), ("userarn", Section::Users)]
        .into_iter()
        .find(|(name, _)| has(name))
        .map(|(_, section)| section)
}

fn lost(section: Section, message: String) -> AwsAuthProblem {
    AwsAuthProblem {
        section,
        entry: None,
        message,
        lost_section: true,
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn account(item: &Value, accounts: &mut Vec<String>) -> Option<String> {
    let text = match item {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Some("an account is a number of 12 digits".to_owned()),
    };
    if !is_account(&text) {
        return Some(format!("AccountID '{text}' is not a valid AWS Account ID"));
    }
    accounts.push(text);
    None
}

/// Reads one entry of mapRoles or mapUsers; gives what is wrong with it.
fn entry(section: Section, item: &Value, mappings: &mut Vec<Mapping>) -> Option<String> {
    let Value::Object(object) = item else {
        return Some("the entry is not a map of keys".to_owned());
    };
    let get = |key: &str| object.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v);
    let text = |key: &str| get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let arn_key = if section == Section::Users {
        "userarn"
    } else {
        "rolearn"
    };
    let (arn, is_sso) = match (text(arn_key), get("sso")) {
        (arn, None) if !arn.is_empty() => (arn, false),
        (arn, Some(sso)) if arn.is_empty() => (sso_pattern(sso)?, true),
        (arn, _) if arn.is_empty() => return Some(format!("the entry has no {arn_key}")),
        _ => return Some("only one of rolearn or SSO can be supplied".to_owned()),
    };
    let mut problem = None;
    let groups = match get("groups") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().filter_map(|g| g.as_str().map(str::to_owned)).collect(),
        Some(_) => {
            problem = Some("groups is not a list: the entry has no groups".to_owned());
            Vec::new()
        }
    };
    let mapping = Mapping {
        section,
        arn,
        username: text("username"),
        groups,
        is_sso,
    };
    let equal = |m: &Mapping| m.section == section && m.arn.eq_ignore_ascii_case(&mapping.arn);
    let same_user_spelling = |m: &Mapping| section == Section::Roles || m.arn == mapping.arn;
    match mappings.iter().position(|m| equal(m) && same_user_spelling(m)) {
        // Twice the same does no harm.
        Some(at) if mappings[at].username == mapping.username && mappings[at].groups == mapping.groups => problem,
        Some(at) => {
            mappings[at] = mapping;
            problem.or_else(|| Some("an earlier entry has the same ARN: the last one counts".to_owned()))
        }
        None => {
            mappings.push(mapping);
            problem
        }
    }
}

/// The pattern that the authenticator compares for an `sso` entry; `None` where the entry cannot be used. An entry that names
/// a partition never matches: the component then builds an ARN without one.
fn sso_pattern(sso: &Value) -> Option<String> {
    let get = |key: &str| {
        sso.as_object()?
            .iter()
            .find(|(k, _)| k.eq_ignore_ascii_case(key))
            .map(|(_, v)| v)
    };
    let set = get("permissionSetName")?.as_str()?;
    let account = match get("accountID")? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let partition = if get("partition").is_some_and(|p| p.as_str().is_some_and(|t| !t.is_empty())) {
        ""
    } else {
        "aws"
    };
    Some(format!(
        "arn:{partition}:iam::{account}:role/awsreservedsso_{}_*",
        set.to_lowercase()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(text: &str) -> AwsAuth {
        parse(&AwsAuthData {
            map_roles: Some(text),
            ..AwsAuthData::default()
        })
    }

    #[test]
    fn an_error_in_one_section_leaves_the_other() {
        let users = "- userarn: arn:aws:iam::111122223333:user/ann\n  username: ann\n";
        let auth = parse(&AwsAuthData {
            map_roles: Some("- rolearn: a\n username: [x\n"),
            map_users: Some(users),
            map_accounts: None,
        });
        assert!(auth.lost(Section::Roles));
        assert_eq!(auth.mappings.len(), 1);
    }

    #[test]
    fn groups_that_are_no_list_are_no_groups() {
        let auth = roles("- rolearn: arn:aws:iam::111122223333:role/A\n  username: a\n  groups: system:masters\n");
        assert_eq!((auth.mappings[0].groups.len(), auth.problems.len()), (0, 1));
    }

    #[test]
    fn the_last_of_two_role_entries_counts() {
        let auth = roles(
            "- rolearn: arn:aws:iam::1:role/A\n  groups: [one]\n- rolearn: arn:aws:iam::1:role/a\n  groups: [two]\n",
        );
        assert_eq!(auth.mappings.len(), 1);
        assert_eq!(auth.mappings[0].groups, ["two"]);
    }

    #[test]
    fn a_role_mapping_with_a_path_never_matches() {
        let caller = Arn::parse("arn:aws:sts::111122223333:assumed-role/A/s").unwrap();
        let with_path = roles("- rolearn: arn:aws:iam::111122223333:role/team/A\n");
        assert_eq!(with_path.find(&caller), None);
        let folded = roles("- rOlEaRn: ARN:aws:IAM::111122223333:role/a\n");
        assert!(folded.find(&caller).is_some());
    }

    #[test]
    fn equal_twins_do_no_harm_and_unequal_ones_are_a_problem() {
        let twin = |groups: &str| {
            format!("- rolearn: arn:aws:iam::111122223333:role/A\n  username: a\n  groups: [{groups}]\n")
        };
        assert_eq!(roles(&format!("{}{}", twin("one"), twin("one"))).problems, []);
        assert_eq!(roles(&format!("{}{}", twin("one"), twin("two"))).problems.len(), 1);
    }

    #[test]
    fn letters_fold_as_in_go() {
        let caller = Arn::parse("arn:aws:sts::111122223333:assumed-role/Kiosk/s").unwrap();
        for (arn, is_found) in [
            ("arn:aws:iam::111122223333:Role/KIOSK", true),
            ("arn:aws:iam::111122223333:role/\u{212a}iosk", true),
            ("arn:aws:iam::111122223333:role/Кiosk", false),
            ("arn:aws:iam::111122223333:role/Kiosk ", false),
        ] {
            let auth = roles(&format!("- rolearn: '{arn}'\n  username: x\n"));
            assert_eq!(auth.find(&caller).is_some(), is_found, "{arn}");
            assert_eq!(auth.mappings[0].caller_arn().is_some(), is_found, "{arn}");
        }
    }

    #[test]
    fn only_what_a_caller_can_have_is_a_callers_arn() {
        for (text, expected) in [
            ("arn:aws:iam::111122223333:role/A.b+c=d,e@f-g_h", true),
            ("arn:aws:iam::111122223333:user/ops/ann", true),
            ("arn:aws:iam::111122223333:user//ops/ann", true),
            ("arn:aws:iam::111122223333:root", true),
            ("arn:aws:sts::111122223333:federated-user/bob", true),
            ("arn:aws-cn:iam::111122223333:role/A", true),
            ("arn:aws:iam::111122223333:role/", false),
            ("arn:aws:iam::111122223333:role/a b", false),
            ("arn:aws:iam::111122223333:role/*", false),
            ("arn:aws:iam::111122223333:user/ann/", false),
            ("arn:aws:iam::1111222233334:role/A", false),
            ("arn:aws:iam:::role/A", false),
            ("arn:aws:iam:eu-west-1:111122223333:role/A", false),
            ("arn:aws:iam::111122223333:group/A", false),
            ("arn:aws:iam::111122223333:root/A", false),
            ("arn:aws:sts::111122223333:assumed-role/A/s", false),
            ("arn:aws:iam:111122223333:role/A", false),
            ("arn:amazon:iam::111122223333:role/A", false),
            ("Admin", false),
        ] {
            assert_eq!(caller_arn(text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn a_key_that_nothing_reads_is_named_with_the_one_that_was_meant() {
        let entry = r"- rolearn: arn:aws:iam::111122223333:role/A\n";
        for (key, text, expected) in [
            ("maproles", entry, Some(Section::Roles)),
            ("map_users", "[]", Some(Section::Users)),
            ("mapAccount", "[]", Some(Section::Accounts)),
            ("roles", entry, Some(Section::Roles)),
            ("mapRoles", entry, None),
            ("note", "ask the platform team", None),
        ] {
            let auth = parse_config_map(&format!(r#"{{"data": {{"{key}": "{text}"}}}}"#)).unwrap();
            assert_eq!(auth.unread_keys.first().map(|(_, section)| *section), expected, "{key}");
        }
    }

    #[test]
    fn the_documents_of_the_authenticator_read_as_it_reads_them() {
        let Ok(folder) = std::env::var("EKSPLAIN_REAL_DATA") else {
            eprintln!("skipped: EKSPLAIN_REAL_DATA is not set");
            return;
        };
        let folder = format!("{folder}/data/aws-auth");
        let expected: Value =
            serde_json::from_str(&std::fs::read_to_string(format!("{folder}/expected.json")).unwrap()).unwrap();
        for (file, expect) in expected["files"].as_object().unwrap() {
            let text = std::fs::read_to_string(format!("{folder}/authenticator/{file}")).unwrap();
            let object: Value = serde_saphyr::from_str(&text).unwrap();
            let auth = parse_config_map(&object.to_string()).unwrap();
            let said = |section: Section| -> Vec<Value> {
                let of = auth.mappings.iter().filter(|m| m.section == section);
                of.map(|m| serde_json::json!({"arn": m.arn, "username": m.username, "groups": m.groups}))
                    .collect()
            };
            assert_eq!(
                Value::Array(said(Section::Roles)),
                expect["roles"],
                "{file}: {:?}",
                auth.problems
            );
            assert_eq!(
                Value::Array(said(Section::Users)),
                expect["users"],
                "{file}: {:?}",
                auth.problems
            );
            assert_eq!(serde_json::json!(auth.accounts), expect["accounts"], "{file}");
        }
    }
}
