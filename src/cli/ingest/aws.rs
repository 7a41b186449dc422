//! What all AWS sources share: how to get in, which accounts, regions and times, and showing how far it is.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use eksplain_aws::{Accounts, Aws, Meter, Micros, Range, Regions, Settings};
use eksplain_ingest::IngestReport;
use eksplain_lake::Lake;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::Run;
use crate::cli::Global;
use crate::error::Failure;
use crate::runtime::runtime;
use crate::settings::{DayEnd, now, time};

/// Options of every AWS source.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Access {
    /// Regions to query: a list, or all [default: the profile's region]
    #[arg(long, value_name = "all|R,R…", value_delimiter = ',')]
    pub(crate) regions: Vec<String>,
    /// Accounts to query: a list, or org for the whole organization [default: the caller's account]
    #[arg(long, value_name = "ID,…|org", value_delimiter = ',')]
    pub(super) accounts: Vec<String>,
    /// Name of the role to assume in each account
    #[arg(long, value_name = "NAME")]
    pub(super) assume_role: Option<String>,
    /// External ID that the role requires
    #[arg(long, value_name = "ID")]
    pub(super) external_id: Option<String>,
    /// Maximum requests per second, below the quota
    #[arg(long, value_name = "N")]
    pub(super) max_rate: Option<f64>,
}

/// The window of an AWS source.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Window {
    /// Start time: RFC 3339, a date, how long ago, or last to continue where the lake ends
    #[arg(long, value_name = "TIME|last")]
    pub(crate) since: Option<String>,
    /// End time [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
}

impl Window {
    /// The window; `last` goes on where the lake's records of these tables end, with some overlap for what came late.
    pub(crate) fn range(&self, default: Micros, last: impl FnOnce() -> Option<Micros>) -> Result<Range, Failure> {
        let now = now();
        let to = self
            .until
            .as_deref()
            .map(|text| time("--until", text, now, DayEnd::Last))
            .transpose()?;
        let from = match self.since.as_deref() {
            None => now - default,
            Some("last") => last().unwrap_or(now - default),
            Some(text) => time("--since", text, now, DayEnd::First)?,
        };
        let range = Range {
            from,
            to: to.unwrap_or(now).min(now),
        };
        if range.from > range.to {
            return Err(Failure::usage(
                "--since is later than --until",
                "give a window that begins before it ends",
            ));
        }
        Ok(range)
    }
}

impl Access {
    pub(crate) fn settings(&self, global: &Global, region: Option<&str>) -> Result<Settings, Failure> {
        if let Some(rate) = self.max_rate
            && (!rate.is_finite() || rate <= 0.0)
        {
            return Err(Failure::usage(
                "--max-rate must be a positive number of requests per second",
                "give requests a second, for instance --max-rate 1.5",
            ));
        }
        Ok(Settings {
            profile: global.profile.clone(),
            region: region.map(str::to_owned),
            endpoint_url: global.endpoint_url.clone(),
            accounts: match self.accounts.as_slice() {
                [] => Accounts::Own,
                [one] if one == "org" => Accounts::Organization,
                ids => Accounts::Named(ids.to_vec()),
            },
            regions: match self.regions.as_slice() {
                [] => Regions::Own,
                [one] if one == "all" => Regions::All,
                names => Regions::Named(names.to_vec()),
            },
            assume_role: self.assume_role.clone(),
            external_id: self.external_id.clone(),
            max_rate: self.max_rate,
            is_hurried: false,
        })
    }
}

/// Connects, runs, shows how far it is, and gathers what came of it.
pub(in crate::cli) fn pull<F>(
    global: &Global,
    settings: Settings,
    run: impl FnOnce(Arc<Aws>, Lake) -> F,
) -> Result<Run, Failure>
where
    F: Future<Output = Result<(IngestReport, Vec<eksplain_aws::Scope>), eksplain_ingest::Error>>,
{
    let began = Instant::now();
    runtime()?.block_on(async {
        let aws = Arc::new(Aws::connect(settings).await?);
        // A lake is made only once there is something to put into it.
        let lake = Lake::open_or_create(&global.lake)?;
        let meter = aws.meter();
        let shown = tokio::spawn(show(super::spinner(global), Arc::clone(&meter)));
        let answer = run(aws, lake).await;
        shown.abort();
        let (report, scopes) = answer?;
        Ok(Run {
            report,
            scopes,
            requests: meter.requests.load(Ordering::Relaxed),
            throttled: meter.throttled.load(Ordering::Relaxed),
            asked: Vec::new(),
            began,
        })
    })
}

/// Records, requests a second, and the time that is left at this pace.
async fn show(bar: ProgressBar, meter: Arc<Meter>) {
    let began = Instant::now();
    let style = ProgressStyle::with_template("{spinner} {bar:25} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let (wanted, covered) = (read(&meter.wanted).max(1), read(&meter.covered));
        bar.set_length(wanted);
        bar.set_position(covered.min(wanted));
        let elapsed = began.elapsed().as_secs_f64();
        let left = if covered == 0 {
            "time left unknown".to_owned()
        } else {
            let seconds = elapsed * (wanted.saturating_sub(covered)) as f64 / covered as f64;
            format!("{} left", indicatif::HumanDuration(Duration::from_secs_f64(seconds)))
        };
        bar.set_message(format!(
            "{} records, {} requests ({:.1} a second, {} throttled), {left}",
            HumanCount(read(&meter.records)),
            HumanCount(read(&meter.requests)),
            read(&meter.requests) as f64 / elapsed,
            HumanCount(read(&meter.throttled)),
        ));
    }
}
