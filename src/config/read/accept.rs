//! `[[accept]]`: which findings are known, why, who answers for them, and until when.

use eksplain_analyze::words::{Reason, Rule};

use super::Reader;
use super::keys::{ACCEPT, belongs};
use crate::accept::{Accept, Which};
use crate::config::shape;
use crate::config::take::Section;
use crate::config::words::nearest;
use crate::settings::{DayEnd, time};
use crate::view::fingerprint::Fingerprint;

const ONE_KEY: &str =
    "write rule = \"…\" (of check), reason = \"…\" (of denials), or fingerprint = \"…\" (of any finding)";

impl Reader<'_> {
    pub(super) fn accept(&mut self, section: Section<'_, '_>) -> Option<Accept> {
        let (found, now) = (&mut self.found, self.now);
        section.keys(found, ACCEPT, belongs);
        let rule = section.text(found, "rule", &|text| {
            known(text, Rule::ALL.iter().map(|rule| rule.id()))
        });
        let reason = section.text(found, "reason", &|text| {
            known(text, Reason::ALL.iter().map(|reason| reason.id()))
        });
        let fingerprint = section.text(found, "fingerprint", &|text| match Fingerprint::is_one(text) {
            true => Ok(()),
            false => {
                Err("copy the fingerprint of a finding: 16 letters and digits, in -o json and in the report".to_owned())
            }
        });
        let named: Vec<&str> = ["rule", "reason", "fingerprint"]
            .into_iter()
            .filter(|key| section.has(key))
            .collect();
        match named.as_slice() {
            [] => found.fault(section.at("rule"), "[[accept]] does not say what is accepted", ONE_KEY),
            [_] => {}
            [first, .., last] => found.fault(
                section.at(last),
                format!("[[accept]] has both {first} and {last}"),
                "write an [[accept]] for each",
            ),
        }
        let is_said = |text: &str| match text.trim() {
            "" => Err("say it in a few words: whoever reads the report wants to know".to_owned()),
            _ => Ok(()),
        };
        let why = section.text(found, "why", &is_said);
        let owner = section.text(found, "owner", &is_said);
        for (key, advice) in [
            ("why", "write why = \"…\": the reason that an auditor will read"),
            ("owner", "write owner = \"…\": the person or team that answers for it"),
        ] {
            if !section.has(key) {
                found.fault(section.at(key), format!("[[accept]] has no {key}"), advice);
            }
        }
        let end = |text: &str| {
            time("until", text, now, DayEnd::Last)
                .ok()
                .filter(|_| text.contains('-'))
        };
        let until = section.text(found, "until", &|text| match end(text) {
            Some(_) => Ok(()),
            None => Err("write the last day, for instance 2026-12-31".to_owned()),
        });
        let clusters = section.texts(found, "clusters", &shape::glob);
        let which = match (rule, reason, fingerprint) {
            (Some(rule), None, None) => Which::Rule(rule),
            (None, Some(reason), None) => Which::Reason(reason),
            (None, None, Some(fingerprint)) => Which::Fingerprint(fingerprint),
            _ => return None,
        };
        Some(Accept {
            which,
            clusters,
            why: why?,
            owner: owner?,
            ends: until.as_deref().and_then(end),
            until,
        })
    }
}

/// An id, or what stands before a dot of one.
fn known(text: &str, ids: impl Iterator<Item = &'static str> + Clone) -> Result<(), String> {
    let is_above = |id: &str| id == text || id.strip_prefix(text).is_some_and(|rest| rest.starts_with('.'));
    if ids.clone().any(is_above) {
        return Ok(());
    }
    Err(match nearest(text, ids) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "copy it from a finding: eksplain check and eksplain denials show them".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{only_fault, read};
    use crate::accept::Which;

    const REST: &str = "why = \"known\"\nowner = \"platform\"\n";

    #[test]
    fn each_key_names_findings_in_its_way() {
        for (key, which) in [
            (
                "rule = \"aws-auth.malformed\"",
                Which::Rule("aws-auth.malformed".to_owned()),
            ),
            ("reason = \"authn\"", Which::Reason("authn".to_owned())),
            (
                "fingerprint = \"0123456789abcdef\"",
                Which::Fingerprint("0123456789abcdef".to_owned()),
            ),
        ] {
            let config = read(&format!("[[accept]]\n{key}\n{REST}until = 2027-01-31\n")).unwrap();
            assert_eq!(config.accepts[0].which, which);
            assert_eq!(config.accepts[0].until.as_deref(), Some("2027-01-31"));
            assert!(config.accepts[0].ends.is_some());
        }
    }

    #[test]
    fn an_acceptance_that_nobody_can_check_is_a_fault() {
        for (text, said) in [
            (REST.to_owned(), "[[accept]] does not say what is accepted"),
            (
                format!("rule = \"aws-auth.malformed\"\nreason = \"authn\"\n{REST}"),
                "[[accept]] has both rule and reason",
            ),
            (
                "reason = \"authn\"\nowner = \"x\"\n".to_owned(),
                "[[accept]] has no why",
            ),
            (
                "reason = \"authn\"\nwhy = \"x\"\n".to_owned(),
                "[[accept]] has no owner",
            ),
            (format!("rule = \"authn\"\n{REST}"), "`rule` cannot be \"authn\""),
            (
                format!("fingerprint = \"abc\"\n{REST}"),
                "`fingerprint` cannot be \"abc\"",
            ),
            (
                format!("reason = \"authn\"\nuntil = \"soon\"\n{REST}"),
                "`until` cannot be \"soon\"",
            ),
            (
                format!("reason = \"authn\"\nend = 1\n{REST}"),
                "unknown key `end` in [[accept]]",
            ),
        ] {
            only_fault(&format!("[[source]]\nfrom = \"snapshot\"\n[[accept]]\n{text}"), said);
        }
    }
}
