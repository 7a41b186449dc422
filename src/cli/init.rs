//! `init`: an `eksplain.toml` with comments, by flags, by asking, or as an example.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use dialoguer::{Confirm, Input, MultiSelect};

use super::Global;
use crate::config::{self, APIS, Config, Draft, nearest};
use crate::error::{Exit, Failure};
use crate::settings::now;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain init                                                    asks; without a terminal it writes an example
  eksplain init --regions us-east-1,eu-west-1 --report-to s3://my-reports/eks
  eksplain init --accounts org --assume-role eksplain-read --regions all --fail-on new-admin
  eksplain init --source s3://my-trail/AWSLogs --source snapshot --to /etc/eksplain.toml --force

What is written is checked first: eksplain run --check accepts it.")]
pub(super) struct Arguments {
    /// Where to write it
    #[arg(long, value_name = "FILE|-", default_value = "eksplain.toml")]
    to: PathBuf,
    /// Overwrite the file if it exists
    #[arg(long)]
    force: bool,
    /// Regions to query: a list, or all
    #[arg(long, value_name = "all|R,R…", value_delimiter = ',')]
    regions: Vec<String>,
    /// Accounts to query: a list, or org
    #[arg(long, value_name = "ID,…|org", value_delimiter = ',')]
    accounts: Vec<String>,
    /// Name of the role to assume in each account
    #[arg(long, value_name = "NAME")]
    assume_role: Option<String>,
    /// External ID that the role requires
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Start time: RFC 3339, a date, how long ago, or last
    #[arg(long, value_name = "TIME|last")]
    since: Option<String>,
    /// Only clusters with this name or glob (repeatable)
    #[arg(long, value_name = "NAME|GLOB")]
    cluster: Vec<String>,
    /// cloudtrail, cloudwatch, snapshot, an S3 URI, or a path of log files (repeatable) [default: the first three]
    #[arg(long, value_name = "SOURCE")]
    source: Vec<String>,
    /// Where to write the report [default: eksplain-report]
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX")]
    report_to: Option<String>,
    /// Where to send changes: the ARN of an SNS topic, a file, or - for stdout
    #[arg(long, value_name = "ARN|FILE|-", allow_hyphen_values = true)]
    notify: Option<String>,
    /// Changes and findings that make a run exit with code 1
    #[arg(long, value_name = "WORD,…", value_delimiter = ',')]
    fail_on: Vec<String>,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let is_stdout = arguments.to == Path::new("-");
    // Refused before anything is asked.
    if !is_stdout && !arguments.force && arguments.to.exists() {
        return Err(Failure::usage(
            format!("{} is there already", arguments.to.display()),
            "name another file with --to, or write over it with --force",
        ));
    }
    let given = arguments.draft(global);
    let may_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    let draft = if arguments.has_answers() || !may_ask {
        given
    } else {
        ask(given)?
    };
    if let Some((word, near)) = draft
        .sources
        .iter()
        .find_map(|source| Some((source, misspelt(source)?)))
    {
        return Err(Failure::usage(
            format!("there is no source {word:?}"),
            format!(
                "did you mean {near}? Sources are {}, s3://BUCKET/PREFIX, or a path such as ./{word}",
                APIS.join(", ")
            ),
        ));
    }
    let text = draft.toml();
    let folder = arguments.to.parent().unwrap_or(Path::new(""));
    let name = arguments.to.display().to_string();
    let config = Config::read(&text, folder, now()).map_err(|faults| {
        Failure::pointed(
            "these answers do not make a valid configuration: nothing was written",
            "fix the places above; they show the file that would have been written",
            &name,
            &text,
            &faults,
        )
    })?;
    if !global.quiet {
        for warning in &config.warnings {
            eprintln!("{}", warning.show(&name, &text));
        }
    }
    if is_stdout {
        io::stdout().lock().write_all(text.as_bytes())?;
        return Ok(Exit::Answered.into());
    }
    write(&arguments.to, &text, arguments.force)?;
    if !global.quiet {
        eprintln!("wrote {name}\nnext: eksplain run --check {name}, then eksplain run {name}");
    }
    Ok(Exit::Answered.into())
}

impl Arguments {
    fn has_answers(&self) -> bool {
        let lists = [
            &self.regions,
            &self.accounts,
            &self.cluster,
            &self.source,
            &self.fail_on,
        ];
        let texts = [
            &self.assume_role,
            &self.external_id,
            &self.since,
            &self.report_to,
            &self.notify,
        ];
        lists.iter().any(|list| !list.is_empty()) || texts.iter().any(|text| text.is_some())
    }

    /// What was typed, and what is known without asking: the lake, the profile, the region.
    fn draft(&self, global: &Global) -> Draft {
        let lake = Some(&global.lake).filter(|lake| *lake != Path::new(super::DEFAULT_LAKE));
        let region = || {
            global
                .region
                .clone()
                .or_else(|| region_of(global.profile.as_deref()))
                .into_iter()
                .collect()
        };
        Draft {
            lake: lake.map(|lake| lake.display().to_string()),
            profile: global.profile.clone(),
            regions: if self.regions.is_empty() {
                region()
            } else {
                self.regions.clone()
            },
            accounts: self.accounts.clone(),
            assume_role: self.assume_role.clone(),
            external_id: self.external_id.clone(),
            since: self.since.clone(),
            clusters: self.cluster.clone(),
            sources: self.source.clone(),
            report_to: self.report_to.clone(),
            notify: self.notify.clone(),
            fail_on: self.fail_on.clone(),
        }
    }
}

/// The API that a word was probably meant for, where it is neither a place nor a path.
fn misspelt(source: &str) -> Option<&'static str> {
    let is_known = APIS.contains(&source) || source.contains(['/', '.', '\\']) || Path::new(source).exists();
    if is_known {
        return None;
    }
    Some(nearest(source, APIS.iter().copied()).unwrap_or(APIS[0]))
}

fn write(to: &Path, text: &str, is_forced: bool) -> Result<(), Failure> {
    let wrong = |error: io::Error| {
        Failure::usage(
            format!("could not write {}: {error}", to.display()),
            "name another file with --to",
        )
    };
    if is_forced {
        return fs::write(to, text).map_err(wrong);
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(to)
        .map_err(wrong)?;
    file.write_all(text.as_bytes()).map_err(wrong)
}

/// The region of the environment, else that of the profile.
fn region_of(profile: Option<&str>) -> Option<String> {
    let of_environment = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    let file = std::env::var_os("AWS_CONFIG_FILE")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".aws/config")));
    let of_profile = || region_in(&fs::read_to_string(file?).ok()?, profile.unwrap_or("default"));
    of_environment
        .or_else(of_profile)
        .filter(|region| config::region(region).is_ok())
}

/// The region that a configuration file of AWS gives a profile.
fn region_in(text: &str, profile: &str) -> Option<String> {
    let heads = [format!("[{profile}]"), format!("[profile {profile}]")];
    let lines = text
        .lines()
        .map(str::trim)
        .skip_while(|line| !heads.iter().any(|head| head == line))
        .skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim() == "region")
        .map(|(_, value)| value.trim().to_owned())
}

/// Asks for what a pass needs; every question has an answer that Enter takes.
fn ask(known: Draft) -> Result<Draft, Failure> {
    eprintln!("Press Enter to accept the default. Everything can be changed in the file later.\n");
    let regions = list(
        "Regions, separated by commas, or all",
        &if known.regions.is_empty() {
            "us-east-1".to_owned()
        } else {
            known.regions.join(",")
        },
        |text| if text == "all" { Ok(()) } else { config::region(text) },
    )?;
    let accounts = list(
        "Accounts to enter: ids, or org for all of the organization (nothing: your own)",
        "",
        |text| {
            if text == "org" { Ok(()) } else { config::account(text) }
        },
    )?;
    let assume_role = if accounts.is_empty() {
        None
    } else {
        let role = Input::new()
            .with_prompt("Name of the role to assume in each")
            .default("eksplain-read".to_owned());
        Some(
            role.validate_with(|text: &String| config::role(text))
                .interact_text()
                .map_err(unasked)?,
        )
    };
    let external_id = if assume_role.is_some() {
        one(
            "External id that the role asks for (nothing: none)",
            "",
            config::external_id,
        )?
    } else {
        None
    };
    let names = [
        "CloudTrail, 90 days",
        "CloudWatch: authenticator and audit logs",
        "the present state of clusters and IAM",
    ];
    let chosen = MultiSelect::new()
        .with_prompt("What to read (space chooses)")
        .items(names)
        .defaults(&[true, true, true])
        .interact()
        .map_err(unasked)?;
    let mut sources: Vec<String> = chosen.into_iter().map(|at| APIS[at].to_owned()).collect();
    sources.extend(one(
        "A trail's bucket, for what is older than 90 days: s3://… (nothing: none)",
        "",
        config::place,
    )?);
    let now = now();
    let since = one(
        "From when on: 30d, 2026-11-23, last (nothing: as far as each source goes by default)",
        "",
        |text| config::window(text, now),
    )?;
    let report_to = one(
        "Where the report goes: a folder, or s3://BUCKET/PREFIX",
        "eksplain-report",
        |text| {
            if text.contains("://") {
                config::place(text)
            } else {
                Ok(())
            }
        },
    )?;
    let notify = one(
        "Where to send changes: the ARN of an SNS topic, or a file (empty: nowhere)",
        "",
        |text| {
            if text.starts_with("arn:") {
                config::topic(text)
            } else {
                Ok(())
            }
        },
    )?;
    let alarm = Confirm::new()
        .with_prompt("Exit with 1 when an admin is new, a creator gone, or nobody can get in")
        .default(true)
        .interact()
        .map_err(unasked)?;
    Ok(Draft {
        regions,
        accounts,
        assume_role,
        external_id,
        sources,
        since,
        report_to,
        notify,
        fail_on: if alarm {
            ["new-admin", "creator-deleted", "recovery-needed"]
                .map(str::to_owned)
                .to_vec()
        } else {
            Vec::new()
        },
        ..known
    })
}

/// One answer; none where nothing was typed.
fn one(prompt: &str, default: &str, shape: impl Fn(&str) -> Result<(), String>) -> Result<Option<String>, Failure> {
    let input = Input::<String>::new().with_prompt(prompt).allow_empty(true);
    let input = if default.is_empty() {
        input
    } else {
        input.default(default.to_owned())
    };
    let check = |text: &String| {
        if text.trim().is_empty() {
            Ok(())
        } else {
            shape(text.trim())
        }
    };
    let answer = input.validate_with(check).interact_text().map_err(unasked)?;
    Ok(Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty()))
}

/// An answer of several, separated by commas.
fn list(prompt: &str, default: &str, shape: impl Fn(&str) -> Result<(), String>) -> Result<Vec<String>, Failure> {
    let split = |text: &str| {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let answer = one(prompt, default, |text| {
        split(text)
            .iter()
            .try_for_each(|part| shape(part).map_err(|advice| format!("{part:?}: {advice}")))
    })?;
    Ok(answer.as_deref().map(split).unwrap_or_default())
}

/// The terminal went away, or Ctrl-C was pressed.
fn unasked(error: dialoguer::Error) -> Failure {
    Failure::usage(
        format!("could not ask: {error}"),
        "give the answers as options: eksplain init --help",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_that_of_the_profile() {
        let text =
            "[default]\nregion=eu-west-1\n\n[profile audit]\noutput = json\nregion = us-west-2\n[profile none]\n";
        assert_eq!(region_in(text, "default").as_deref(), Some("eu-west-1"));
        assert_eq!(region_in(text, "audit").as_deref(), Some("us-west-2"));
        assert_eq!(region_in(text, "none"), None);
        assert_eq!(region_in(text, "other"), None);
    }
}
