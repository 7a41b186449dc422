//! The API server's own sentence, by its grammar: who may not do what, where.
//!
//! Rule: apiserver `responsewriters/errors.go` (`forbiddenMessage`): names are quoted as Go quotes them, so a quote in one is
//! protected and no name ends the sentence. Kubernetes before 1.12 left `resource` and the API group out.

use super::names::Names;

/// Reads `User "u" cannot list resource "pods/log" in API group "" in the namespace "n"`, from its beginning.
pub(super) fn parse(text: &str) -> Option<Names> {
    let (user, rest) = quoted(text.strip_prefix("User ")?)?;
    let rest = rest.strip_prefix(" cannot ")?;
    let (verb, rest) = rest.split_once(' ')?;
    let mut names = Names {
        user: Some(user),
        verb: Some(verb.to_owned()),
        ..Names::default()
    };
    if let Some((url, _)) = rest.strip_prefix("path ").and_then(quoted) {
        names.url = Some(url);
        return Some(names);
    }
    let rest = match rest.strip_prefix("resource ").and_then(quoted) {
        Some((resource, rest)) => {
            names.note_resource(&resource);
            rest
        }
        None => {
            let (resource, _) = rest.split_once(' ')?;
            let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
            names.note_resource(resource);
            names.api_group = Some(group.to_owned());
            &rest[rest.find(' ')?..]
        }
    };
    let rest = match rest.strip_prefix(" in API group ").and_then(quoted) {
        Some((group, rest)) => {
            names.api_group = Some(group);
            rest
        }
        None => rest,
    };
    names.namespace = rest
        .strip_prefix(" in the namespace ")
        .and_then(quoted)
        .map(|(name, _)| name);
    Some(names)
}

/// The object of `pods "web" is forbidden: `.
pub(super) fn object(head: &str) -> Option<String> {
    let start = head.find(" \"")? + 1;
    quoted(&head[start..])
        .map(|(name, _)| name)
        .filter(|name| !name.is_empty())
}

/// A text in double quotes, quoting undone, and what stands behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &inner[at + 1..])),
            '\\' => value.push(letters.next()?.1),
            letter => value.push(letter),
        }
    }
    None
}

impl Names {
    fn note_resource(&mut self, text: &str) {
        let (resource, subresource) = match text.split_once('/') {
            Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
            None => (text, None),
        };
        self.resource = Some(resource.to_owned());
        self.subresource = subresource;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_is_read_by_its_grammar() {
        let names = parse(r#"User "a\" cannot get path \"/x" cannot create resource "pods/exec" in API group "" in the namespace "dev""#).unwrap();
        assert_eq!(names.user.as_deref(), Some("a\" cannot get path \"/x"));
        assert_eq!(
            (
                names.verb.as_deref(),
                names.resource.as_deref(),
                names.subresource.as_deref(),
                names.namespace.as_deref()
            ),
            (Some("create"), Some("pods"), Some("exec"), Some("dev"))
        );
        let old = parse(r#"User "dave" cannot list deployments.apps in the namespace "default""#).unwrap();
        assert_eq!(
            (old.api_group.as_deref(), old.resource.as_deref()),
            (Some("apps"), Some("deployments"))
        );
        let url = parse(r#"User "dave" cannot get path "/metrics""#).unwrap();
        assert_eq!(url.url.as_deref(), Some("/metrics"));
        assert_eq!(parse("User dave cannot"), None);
    }
}
