//! `[report]` and `[notify]`: where the answers go, in which forms, and who is told of them.

use super::Reader;
use super::keys::{NOTIFY, REPORT, belongs};
use crate::config::take::Section;
use crate::config::{Dash, Notify, Recipient, Report, Target, When, shape};

const FORMS: &[&str] = &["html", "json", "csv", "md", "parquet"];

impl Reader<'_> {
    pub(super) fn report(&mut self, section: Section<'_, '_>) -> Option<Report> {
        let found = &mut self.found;
        section.keys(found, REPORT, belongs);
        if !section.has("to") {
            found.fault(
                section.at("to"),
                "the report goes nowhere",
                "add to = \"FOLDER\" or to = \"s3://BUCKET/PREFIX\"",
            );
        }
        let to = section.text(found, "to", &|text| match text {
            "" => Err("name a folder, or s3://BUCKET/PREFIX".to_owned()),
            _ if text.contains("://") => shape::place(text),
            _ => Ok(()),
        });
        let forms = section.words(found, "forms", FORMS);
        let sse = section.word(found, "sse", &["bucket", "s3", "kms"]);
        let kms_key = section.text(found, "kms-key", &shape::kms_key);
        if sse.is_some_and(|sse| sse != "kms") && section.has("kms-key") {
            found.fault(section.at("sse"), "only kms takes a key", "leave out sse or kms-key");
        }
        if sse == Some("kms") && !section.has("kms-key") {
            found.fault(section.at("sse"), "no KMS key is named", "add kms-key = \"alias/…\"");
        }
        let to = to?;
        let target = if to.starts_with("s3://") {
            Target::S3(to)
        } else {
            for key in ["sse", "kms-key"] {
                if section.has(key) {
                    self.found.fault(
                        section.at(key),
                        format!("`{key}` is for S3, and the report goes into a folder"),
                        "leave it out",
                    );
                }
            }
            Target::Folder(self.path(&to))
        };
        Some(Report {
            to: target,
            forms,
            sse: sse.or(kms_key.is_some().then_some("kms")),
            kms_key,
        })
    }

    pub(super) fn notify(&mut self, section: Section<'_, '_>) -> Option<Notify> {
        let found = &mut self.found;
        section.keys(found, NOTIFY, belongs);
        if !section.has("to") {
            found.fault(
                section.at("to"),
                "nobody is notified",
                "add to = \"-\", a file, or the ARN of an SNS topic",
            );
        }
        let to = section.text(found, "to", &|text| match text {
            "" => Err("write -, a file, or the ARN of an SNS topic".to_owned()),
            _ if text.starts_with("arn:") => shape::topic(text),
            _ => Ok(()),
        });
        let when = section.word(found, "when", &["always", "changes", "findings"]);
        let to = to?;
        Some(Notify {
            to: match to.as_str() {
                "-" => Recipient::Output(Dash::Dash),
                _ if to.starts_with("arn:") => Recipient::Topic(to),
                _ => Recipient::File(self.path(&to)),
            },
            when: match when {
                Some("always") => When::Always,
                Some("findings") => When::Findings,
                _ => When::Changes,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::only_fault;

    #[test]
    fn a_report_that_cannot_be_delivered_is_a_fault() {
        for (text, said) in [
            (
                "[report]\nto = \"x\"\nkms-key = \"alias/x\"\n",
                "`kms-key` is for S3, and the report goes into a folder",
            ),
            ("[report]\nto = \"s3://X\"\n", "`to` cannot be \"s3://X\""),
            (
                "[report]\nto = \"s3://xyz\"\nsse = \"s3\"\nkms-key = \"alias/x\"\n",
                "only kms takes a key",
            ),
        ] {
            only_fault(text, said);
        }
    }
}
