//! `report`: what people read.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use eksplain_aws::s3::{self, Encryption, Place};
use eksplain_aws::{Aws, Settings};

use super::Global;
use super::ask::{self, Selectors};
use super::ingest::aws::runtime;
use crate::error::{Exit, Failure};
use crate::render::{self, Output};
use crate::report::{Form, deliver};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain report                                    into ./eksplain-report: reports/date=…/ and latest/
  eksplain report --to /srv/www/eks --form html --form json
  eksplain report --to s3://my-reports/eks --kms-key alias/reports
  eksplain report --at 2026-11-01 --cluster 'prod-*'
  eksplain report -o json > report.json              on stdout, for other programs

In S3, latest/ holds the page alone, replaced at once; all forms are under reports/date=…/. It needs s3:PutObject there.
Without --at it speaks of the newest record of the lake, so that the same lake gives the same bytes.")]
pub(super) struct Arguments {
    #[command(flatten)]
    selectors: Selectors,
    /// Folder or place in S3 that gets the files
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX", default_value = "eksplain-report")]
    to: String,
    /// Key of KMS for what is written into S3 [default: as the bucket encrypts]
    #[arg(long, value_name = "KEY")]
    kms_key: Option<String>,
    /// Forms (repeatable) [default: all]
    #[arg(long, value_enum, value_name = "FORM")]
    form: Vec<Form>,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let report = ask::report(global, &arguments.selectors)?;
    if global.output == Output::Json {
        render::json(&mut std::io::stdout().lock(), &report)?;
        return Ok(Exit::Answered.into());
    }
    let mut forms = arguments.form.clone();
    if forms.is_empty() {
        forms = vec![Form::Html, Form::Json, Form::Csv, Form::Md];
    }
    forms.sort_unstable();
    forms.dedup();
    let day = report.at.get(..10).unwrap_or(&report.at).to_owned();
    let files = report.files(&forms)?;
    if arguments.to.starts_with("s3://") {
        into_s3(global, arguments, &day, &files)?;
    } else {
        deliver(&PathBuf::from(&arguments.to), &day, &files)?;
    }
    if !global.quiet {
        let to = arguments.to.trim_end_matches('/');
        eprintln!("wrote {to}/latest and {to}/reports/date={day}");
    }
    Ok(Exit::Answered.into())
}

fn into_s3(global: &Global, arguments: &Arguments, day: &str, files: &[(&str, Vec<u8>)]) -> Result<(), Failure> {
    let place: Place = arguments
        .to
        .parse()
        .map_err(|error| Failure::usage(format!("could not {error}"), "write --to s3://BUCKET/PREFIX"))?;
    let encryption = arguments.kms_key.clone().map_or(Encryption::OfBucket, Encryption::Kms);
    let settings = Settings {
        profile: global.profile.clone(),
        endpoint_url: global.endpoint_url.clone(),
        ..Settings::default()
    };
    runtime()?.block_on(async {
        let aws = Aws::connect(settings).await?;
        s3::deliver(&aws, &place, day, files, &encryption).await
    })?;
    Ok(())
}
