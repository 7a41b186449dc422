//! User names and groups that a mapping makes of a session: which template a name may have come from.
//!
//! Rule: aws-iam-authenticator `pkg/mapper` and `pkg/server`: `{{SessionName}}` has `-` for each `@` of the session, `{{SessionNameRaw}}`
//! has not; RBAC renders nothing.

use std::borrow::Cow;

use regex::Regex;

/// What the placeholders may become, by name.
const PLACEHOLDERS: &[(&str, &str)] = &[
    ("AccountID", "[0-9]{12}"),
    ("SessionName", r"[A-Za-z0-9_+=,.\-]*"),
    ("SessionNameRaw", r"[A-Za-z0-9_+=,.@\-]*"),
    ("AccessKeyID", "[A-Z0-9]*"),
    ("EC2PrivateDNSName", r"[A-Za-z0-9.\-]+"),
];

/// Whether a mapping's template can become this name.
pub(crate) fn renders(template: &str, name: &str) -> bool {
    let Some((literal, _)) = template.split_once("{{") else {
        return template == name;
    };
    name.starts_with(literal) && pattern(template).is_some_and(|pattern| pattern.is_match(name))
}

/// Whether a subject that RBAC takes by the letter was meant for this name: a template, or a session as it was before `@` became `-`.
pub(crate) fn is_meant_by(subject: &str, name: &str) -> bool {
    subject != name
        && (subject.contains("{{") && renders(subject, name) || subject.contains('@') && sanitised(subject) == name)
}

/// A session as `{{SessionName}}` renders it.
fn sanitised(session: &str) -> Cow<'_, str> {
    if session.contains('@') {
        Cow::Owned(session.replace('@', "-"))
    } else {
        Cow::Borrowed(session)
    }
}

/// The names that a template can become; a placeholder that the authenticator does not know is text.
fn pattern(template: &str) -> Option<Regex> {
    let mut pattern = String::from("^(?:");
    let mut rest = template;
    while let Some(at) = rest.find("{{") {
        let (before, behind) = rest.split_at(at);
        pattern.push_str(&regex::escape(before));
        let known = behind[2..]
            .split_once("}}")
            .and_then(|(word, rest)| Some((PLACEHOLDERS.iter().find(|(name, _)| *name == word)?.1, rest)));
        match known {
            Some((becomes, behind)) => {
                pattern.push_str(becomes);
                rest = behind;
            }
            None => {
                pattern.push_str(&regex::escape("{{"));
                rest = &behind[2..];
            }
        }
    }
    pattern.push_str(&regex::escape(rest));
    pattern.push_str(")$");
    Regex::new(&pattern).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_becomes_names_of_its_shape_alone() {
        for (template, name, is_rendered) in [
            ("dev", "dev", true),
            ("dev", "Dev", false),
            ("ops:{{SessionName}}", "ops:lee-example.com", true),
            ("ops:{{SessionName}}", "ops:lee@example.com", false),
            ("ops:{{SessionNameRaw}}", "ops:lee@example.com", true),
            ("ops:{{SessionName}}", "ops:lee:root", false),
            ("ops:{{SessionName}}", "xops:lee", false),
            ("{{AccountID}}-{{SessionName}}", "111122223333-lee", true),
            ("{{AccountID}}-{{SessionName}}", "dev-lee", false),
            (
                "system:node:{{EC2PrivateDNSName}}",
                "system:node:ip-10-0-0-1.us-west-2.compute.internal",
                true,
            ),
            ("a*{{SessionName}}", "abc", false),
            ("{{Unknown}}{{SessionName}}", "{{Unknown}}lee", true),
            ("{{SessionName", "lee", false),
        ] {
            assert_eq!(renders(template, name), is_rendered, "{template} {name}");
        }
    }

    #[test]
    fn a_subject_taken_by_the_letter_was_meant_for_what_is_rendered() {
        assert!(is_meant_by("ops:{{SessionName}}", "ops:lee"));
        assert!(is_meant_by("ops:lee@example.com", "ops:lee-example.com"));
        assert!(!is_meant_by("ops:lee", "ops:lee"));
        assert!(!is_meant_by("ops:ann@example.com", "ops:lee-example.com"));
    }
}
