//! From the text to the pass: what stands at the top, and what must hold between its tables.
//!
//! Each table has a module beneath; `keys.rs` knows which key is whose. Faults do not stop the reading: all are found in one go.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use self::keys::{ENTER, TOP, WINDOW, belongs};
use super::take::{Found, Section};
use super::{Access, Config, Notify, Questions, Report, When, shape};
use crate::diff;
use crate::error::Pointer;
use crate::settings::Micros;

mod accept;
mod access;
mod delivery;
mod keys;
mod questions;
mod source;

const NOTHING_TO_DO: &str = "nothing to do: there is no [[source]], no [report], no [notify] and no fail-on; `eksplain init` writes a \
                             configuration to begin with";

/// What stands at the top and holds for each source.
struct Defaults<'a, 't> {
    section: Section<'a, 't>,
    access: Access,
    clusters: Vec<String>,
}

struct Reader<'f> {
    folder: &'f Path,
    now: Micros,
    found: Found,
}

pub(super) fn config(text: &str, folder: &Path, now: Micros) -> Result<Config, Vec<Pointer>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mut found = Found::default();
        for error in &errors {
            let at = error.span().unwrap_or(text.len()..text.len());
            found.fault(at, format!("invalid TOML: {}", error.message()), "");
        }
        return Err(in_order(found));
    }
    let mut reader = Reader {
        folder,
        now,
        found: Found::default(),
    };
    let config = reader.config(Section::new("the top", document.get_ref(), 0..0));
    let found = in_order(reader.found);
    if found.iter().all(Pointer::is_warning) {
        return Ok(Config {
            warnings: found,
            ..config
        });
    }
    Err(found)
}

fn in_order(mut found: Found) -> Vec<Pointer> {
    found.0.sort_by_key(Pointer::start);
    found.0
}

impl Reader<'_> {
    fn config(&mut self, top: Section<'_, '_>) -> Config {
        top.keys(&mut self.found, TOP, belongs);
        let lake = top.text(&mut self.found, "lake", &|text| match text {
            "" => Err("name a folder".to_owned()),
            _ if text.contains("://") => {
                Err("the lake is a folder: mount a volume for it, and let [report] go to S3".to_owned())
            }
            _ => Ok(()),
        });
        let defaults = Defaults {
            section: top,
            access: self.access(top, &[ENTER, WINDOW].concat()),
            clusters: top.texts(&mut self.found, "clusters", &shape::glob),
        };
        let sources = top.tables(&mut self.found, "source", "[[source]]");
        let sources: Vec<_> = sources
            .into_iter()
            .filter_map(|section| self.source(section, &defaults))
            .collect();
        let questions = top
            .table(&mut self.found, "questions", "[questions]")
            .map(|section| self.questions(section));
        let report = top
            .table(&mut self.found, "report", "[report]")
            .and_then(|section| self.report(section));
        let notify = top
            .table(&mut self.found, "notify", "[notify]")
            .and_then(|section| self.notify(section));
        let accepts = top.tables(&mut self.found, "accept", "[[accept]]");
        let accepts = accepts.into_iter().filter_map(|section| self.accept(section)).collect();
        self.comparable(top, questions.as_ref(), report.as_ref(), notify.as_ref());
        self.findable(top, questions.as_ref(), notify.as_ref());
        let config = Config {
            lake: lake.map(|path| self.path(&path)),
            profile: defaults.access.profile,
            sources,
            questions: questions.unwrap_or_default(),
            report,
            notify,
            accepts,
            warnings: Vec::new(),
        };
        self.worth_running(top, &config);
        config
    }

    /// A pass reads something or answers something. Where another fault was found, what is missing may stand there.
    fn worth_running(&mut self, top: Section<'_, '_>, config: &Config) {
        if !config.sources.is_empty() {
            return;
        }
        let answers = config.report.is_some() || config.notify.is_some() || !config.questions.fail_on.is_empty();
        // A configuration of accepted findings alone is for the questions.
        let answers = answers || !config.accepts.is_empty();
        if !answers && self.found.0.iter().all(Pointer::is_warning) {
            // An empty text has no place that advice could stand at.
            self.found.fault(0..0, NOTHING_TO_DO, "");
        } else if !top.has("source") {
            self.found.warn(
                0..0,
                "there is no [[source]]: nothing new is read",
                "eksplain init shows what there is",
            );
        }
    }

    /// Findings can only be told where `fail-on` names some.
    fn findable(&mut self, top: Section<'_, '_>, questions: Option<&Questions>, notify: Option<&Notify>) {
        let waits = notify.is_some_and(|notify| notify.when == When::Findings);
        // A table or a word that could not be understood is a fault of its own.
        let may_name = (questions.is_none() && top.has("questions"))
            || top
                .table(&mut self.found, "questions", "[questions]")
                .is_some_and(|section| !section.places("fail-on").is_empty());
        if waits
            && !may_name
            && let Some(section) = top.table(&mut self.found, "notify", "[notify]")
        {
            self.found.fault(
                section.at("when"),
                "there are no findings to send: fail-on names none",
                "add fail-on = [\"recovery-needed\", \"critical\"] to [questions]",
            );
        }
    }

    /// Changes can only be found where the last report is there to be read: an alarm that can never ring is a fault.
    fn comparable(
        &mut self,
        top: Section<'_, '_>,
        questions: Option<&Questions>,
        report: Option<&Report>,
        notify: Option<&Notify>,
    ) {
        let is_kept = report.is_some_and(|report| report.forms.is_empty() || report.forms.contains(&"json"));
        if is_kept || (report.is_none() && top.has("report")) {
            return;
        }
        let (why, advice) = match report {
            None => ("there is no [report] to compare with", "add one"),
            Some(_) => (
                "the last report cannot be read without its JSON",
                "add \"json\" to the forms of [report]",
            ),
        };
        let waits = questions.is_some_and(|questions| {
            questions
                .fail_on
                .iter()
                .any(|word| diff::KINDS.contains(&word.as_str()))
        });
        if waits && let Some(section) = top.table(&mut self.found, "questions", "[questions]") {
            self.found
                .fault(section.at("fail-on"), format!("changes cannot be found: {why}"), advice);
        }
        if notify.is_some_and(|notify| notify.when == When::Changes)
            && let Some(section) = top.table(&mut self.found, "notify", "[notify]")
        {
            self.found
                .fault(section.at("when"), format!("changes cannot be sent: {why}"), advice);
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        if path == "-" {
            PathBuf::from(path)
        } else {
            self.folder.join(path)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn read(text: &str) -> Result<Config, Vec<Pointer>> {
        config(text, Path::new("/etc/eks"), 1_795_520_000_000_000)
    }

    /// Each fault as the text it points at, what is said, and the advice.
    fn faults(text: &str) -> Vec<(String, String, String)> {
        let told = |pointer: &Pointer| {
            (
                text[pointer.range()].to_owned(),
                pointer.what().to_owned(),
                pointer.advice().unwrap_or_default().to_owned(),
            )
        };
        let found = read(text).err().unwrap_or_default();
        found.iter().filter(|pointer| !pointer.is_warning()).map(told).collect()
    }

    /// The text has this fault and no other.
    #[track_caller]
    pub(super) fn only_fault(text: &str, said: &str) {
        let found: Vec<_> = faults(text).into_iter().map(|(_, what, _)| what).collect();
        assert_eq!(found, [said], "{text}");
    }

    #[test]
    fn every_fault_is_found_at_once_and_pointed_at() {
        let text = "lak = \"x\"\nregions = [\"us-east-1\", \"all\"]\naccounts = [111122223333]\n[[source]]\nfrom = \"cloudtral\"\n\
                    [[source]]\nfrom = \"snapshot\"\nsince = \"7d\"\nexternal-id = \"xyz\"\n[[source]]\nuris = []\n[questions]\nfail-on = [\"new-amdin\"]\n\
                    [report]\nfail-on = []\nforms = [\"htm\"]\n[notify]\nto = \"arn:aws:sqs:x\"\nwhen = 1\n";
        let found: Vec<_> = faults(text).into_iter().map(|(at, _, advice)| (at, advice)).collect();
        let expect = [
            ("lak", "did you mean `lake`?"),
            ("\"all\"", "write regions = [\"all\"], or a list without it"),
            ("111122223333", "write it in quotes: \"111122223333\""),
            ("\"cloudtral\"", "did you mean `cloudtrail`?"),
            ("since", "a snapshot shows the present: leave it out"),
            ("\"xyz\"", "add assume-role = \"NAME\""),
            (
                "[[source]]",
                "write from = \"…\": files, s3, cloudtrail, cloudwatch, snapshot",
            ),
            ("\"new-amdin\"", "did you mean `new-admin`?"),
            ("[report]", "add to = \"FOLDER\" or to = \"s3://BUCKET/PREFIX\""),
            ("fail-on", "it belongs to [questions]"),
            ("\"htm\"", "did you mean `html`?"),
            (
                "\"arn:aws:sqs:x\"",
                "write the ARN of a standard topic, for instance `arn:aws:sns:us-east-1:111122223333:eks-access`",
            ),
            ("1", "write it in quotes: \"1\""),
        ];
        assert_eq!(found, expect.map(|(at, advice)| (at.to_owned(), advice.to_owned())));
    }

    const REPORT: &str = "[report]\nto = \"x\"\n";

    #[test]
    fn a_pass_that_would_do_nothing_is_a_fault() {
        for text in [
            "",
            "# later\n",
            "lake = \"x\"\nregions = [\"us-east-1\"]\n",
            "source = []\n",
            "[questions]\nclusters = [\"prod\"]\nfail-on = []\n",
        ] {
            only_fault(text, NOTHING_TO_DO);
        }
        only_fault("[[sorce]]\nfrom = \"snapshot\"\n", "unknown key `sorce` in the top");
        for text in [
            REPORT,
            "[notify]\nto = \"-\"\nwhen = \"always\"\n",
            "[questions]\nfail-on = \"critical\"\n",
            "[[source]]\nfrom = \"snapshot\"\n",
        ] {
            assert!(read(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn findings_are_told_only_where_fail_on_names_some() {
        let notify = "[notify]\nto = \"-\"\nwhen = \"findings\"\n";
        let said = "there are no findings to send: fail-on names none";
        for questions in [
            "",
            "[questions]\nclusters = [\"prod\"]\n",
            "[questions]\nfail-on = []\n",
        ] {
            only_fault(&format!("{REPORT}{questions}{notify}"), said);
        }
        let (at, ..) = faults(&format!("{REPORT}{notify}")).remove(0);
        assert_eq!(at, "\"findings\"");
        assert!(read(&format!("[questions]\nfail-on = \"critical\"\n{notify}")).is_ok());
        // A word that is not understood is the only fault.
        only_fault(
            &format!("{REPORT}[questions]\nfail-on = \"critcal\"\n{notify}"),
            "`fail-on` cannot be \"critcal\"",
        );
    }

    #[test]
    fn values_that_contradict_each_other_are_faults() {
        for (text, said) in [
            (
                "[notify]\nto = \"-\"\n",
                "changes cannot be sent: there is no [report] to compare with",
            ),
            (
                "[questions]\nfail-on = \"new-admin\"\n",
                "changes cannot be found: there is no [report] to compare with",
            ),
            (
                "[questions]\nfail-on = \"new-admin\"\n[report]\nto = \"x\"\nforms = \"html\"\n",
                "changes cannot be found: the last report cannot be read without its JSON",
            ),
            ("lake = \"s3://x/y\"\n", "`lake` cannot be \"s3://x/y\""),
            ("lake = \"https://x/y\"\n", "`lake` cannot be \"https://x/y\""),
            ("source = 1\n", "`source` is one table, and there may be several"),
            ("report = 1\n", "`report` is a number, not a table"),
            (
                "[source]\nfrom = \"snapshot\"\n",
                "`source` is one table, and there may be several",
            ),
        ] {
            only_fault(text, said);
        }
        assert!(faults("a = = 1\nb = \n").len() >= 2, "each line that is no TOML");
        let warnings = read(REPORT).unwrap().warnings;
        assert!(warnings[0].what().contains("nothing new is read"));
    }
}
