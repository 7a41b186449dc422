//! `[questions]`: which clusters the answers are about, and which changes and findings are an alarm.

use super::Reader;
use super::keys::{QUESTIONS, belongs};
use crate::config::take::Section;
use crate::config::words::{fail_on, is_finding_word, nearest};
use crate::config::{Questions, Scope, shape};

impl Reader<'_> {
    pub(super) fn questions(&mut self, section: Section<'_, '_>) -> Questions {
        let found = &mut self.found;
        section.keys(found, QUESTIONS, belongs);
        let is_known = |text: &str| {
            if is_finding_word(text) || fail_on().any(|word| word == text) {
                return Ok(());
            }
            Err(match nearest(text, fail_on()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name a change (new-admin), a word of a finding (recovery-needed, critical, unproven), a reason (authn.not-mapped) or a rule".to_owned(),
            })
        };
        Questions {
            clusters: section.texts(found, "clusters", &shape::glob),
            account: section.text(found, "account", &shape::account),
            region: section.text(found, "region", &shape::region),
            scope: match section.word(found, "scope", &["access", "all"]) {
                Some("all") => Scope::All,
                _ => Scope::Access,
            },
            fail_on: section.texts(found, "fail-on", &is_known),
        }
    }
}
