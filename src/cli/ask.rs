//! `admins`, `creators`, `denials`, `who`, `check`, `changes`: from the lake to the answer.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, ValueEnum};
use eksplain_analyze::findings::{Answers, Cluster};
use eksplain_analyze::who::Window;
use eksplain_analyze::{Options, answer, quote};
use eksplain_lake::Lake;
use eksplain_queries::facts::Facts;
use eksplain_queries::{Bounds, Engine};

use super::Global;
pub(super) use super::select::Selectors;
use super::select::{Standing, check_clusters, check_rules, matched, names_in};
use crate::accept::Accepts;
use crate::error::Failure;
use crate::render::{self, Output, say};
use crate::report::{Report, Selection};
use crate::settings::{DayEnd, Micros, now, time};
use crate::view::admins::Admin;
use crate::view::changes::ChangeFinding;
use crate::view::checks::CheckFinding;
use crate::view::creators::Creator;
use crate::view::denials::Denial;
use crate::view::who::WhoFinding;
use crate::view::{self, Document, Finding};

/// A question.
#[derive(Debug, Clone, Args)]
pub(crate) struct Ask {
    #[command(flatten)]
    pub(super) selectors: Selectors,
    /// Include identities that AWS and Kubernetes manage
    #[arg(long)]
    pub(super) all: bool,
    /// Exit 1 if a finding matches: `any`, a reason or its layer, or a state (repeatable, or separated by commas)
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub(super) fail_on: Vec<String>,
}

/// A question about one moment: no call is told, so no time selects among them.
#[derive(Debug, Clone, Args)]
pub(crate) struct AskNow {
    #[command(flatten)]
    standing: Standing,
    /// Include identities that AWS and Kubernetes manage
    #[arg(long)]
    all: bool,
    /// Exit 1 if a finding matches: `any`, a status, a route, a severity or a rule (repeatable, or separated by commas)
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    fail_on: Vec<String>,
}

impl From<&AskNow> for Ask {
    fn from(ask: &AskNow) -> Self {
        Self::of_moment(&ask.standing, ask.all, &ask.fail_on)
    }
}

/// The question about denials.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  eksplain denials --since 2h
  eksplain denials --cluster prod --fail-on authn
  eksplain denials --scope all -o csv")]
pub(crate) struct AskDenials {
    #[command(flatten)]
    ask: Ask,
    /// Which refused AWS calls to include
    #[arg(long, value_enum, default_value_t = Scope::Access)]
    scope: Scope,
}

/// The question about one principal.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  eksplain who arn:aws:iam::111122223333:role/Admin
  eksplain who maria
  eksplain who User:system:anonymous")]
pub(crate) struct AskWho {
    /// ARN, name of a user or role, role session, Kubernetes user name, or User:x
    #[arg(value_name = "PRINCIPAL")]
    principal: String,
    #[command(flatten)]
    ask: Ask,
}

/// The lint.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  eksplain check --cluster prod
  eksplain check --fail-on critical --fail-on high
  eksplain check -o sarif > eksplain.sarif        for code scanning")]
pub(crate) struct AskCheck {
    #[command(flatten)]
    ask: AskNow,
}

/// The timeline of changes.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  eksplain changes --since 7d
  eksplain changes --cluster prod --since 2026-11-01 --until 2026-11-08
  eksplain changes --since 1d --fail-on admin-gained      exit 1 if somebody became admin")]
pub(crate) struct AskChanges {
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Scope {
    /// Kubernetes requests, and AWS calls to eks, eks-auth, sts, iam and sso
    Access,
    /// Also calls to every other AWS service
    All,
}

pub(super) fn admins(global: &Global, ask: &AskNow) -> Result<ExitCode, Failure> {
    let ask = &Ask::from(ask);
    check_rules::<Admin>(&ask.fail_on)?;
    let world = Asked::open(global, &ask.selectors, false)?;
    let findings = world.admins(ask.all)?;
    world.print(global, ask, view::admins::SCHEMA, findings)
}

pub(super) fn creators(global: &Global, ask: &AskNow) -> Result<ExitCode, Failure> {
    let ask = &Ask::from(ask);
    check_rules::<Creator>(&ask.fail_on)?;
    let world = Asked::open(global, &ask.selectors, false)?;
    let findings = world.creators()?;
    world.print(global, ask, view::creators::SCHEMA, findings)
}

/// The answers of `creators` and `admins` for one cluster, now: what `rescue` tells.
pub(super) fn of_cluster(global: &Global, cluster: &str) -> Result<(Document<Creator>, Document<Admin>), Failure> {
    let selectors = Selectors {
        cluster: vec![cluster.to_owned()],
        ..Selectors::default()
    };
    let world = Asked::open(global, &selectors, false)?;
    Ok((
        world.document(view::creators::SCHEMA, world.creators()?),
        world.document(view::admins::SCHEMA, world.admins(false)?),
    ))
}

pub(super) fn denials(global: &Global, arguments: &AskDenials) -> Result<ExitCode, Failure> {
    let ask = &arguments.ask;
    check_rules::<Denial>(&ask.fail_on)?;
    let world = Asked::open(global, &ask.selectors, arguments.scope == Scope::All)?;
    let findings = world.denials(ask.all)?;
    world.print(global, ask, view::denials::SCHEMA, findings)
}

/// Lint of the access configuration as it stands.
pub(super) fn check(global: &Global, arguments: &AskCheck) -> Result<ExitCode, Failure> {
    let ask = &Ask::from(&arguments.ask);
    check_rules::<CheckFinding>(&ask.fail_on)?;
    let world = Asked::open(global, &ask.selectors, false)?;
    let mut findings = world.checks()?;
    if global.output == Output::Sarif {
        Accepts::read(global.config.as_deref())?.mark(&mut findings);
        render::json(&mut io::stdout().lock(), &view::checks::sarif(&findings))?;
        return Ok(matched(global, &ask.fail_on, &findings));
    }
    world.print(global, ask, view::checks::SCHEMA, findings)
}

/// One principal's whole story.
pub(super) fn who(global: &Global, arguments: &AskWho) -> Result<ExitCode, Failure> {
    let ask = &arguments.ask;
    check_rules::<WhoFinding>(&ask.fail_on)?;
    let world = Asked::open(global, &ask.selectors, true)?;
    let within = world.facts_within()?;
    let window = Window {
        facts: within.as_ref().unwrap_or(&world.facts),
        since: world.since.unwrap_or(Micros::MIN),
        until: world.until.unwrap_or(Micros::MAX),
    };
    let found = eksplain_analyze::who::who(&world.facts, &world.answers, &arguments.principal, world.at, &window);
    let is_found = |principal: &str| found.iter().any(|who| who.principal == principal);
    let by_routes = world
        .answers
        .admins
        .iter()
        .filter(|admin| is_found(&admin.principal))
        .flat_map(|admin| admin.routes.iter().flat_map(|route| &route.evidence));
    let by_denials = world
        .answers
        .denials
        .iter()
        .filter(|denial| denial.principal.as_deref().is_some_and(is_found))
        .flat_map(|denial| &denial.evidence);
    let origins = world.engine.origins(&view::ids(
        by_routes
            .chain(by_denials)
            .chain(found.iter().flat_map(|who| who.evidence())),
    ))?;
    let findings = found
        .iter()
        .map(|who| WhoFinding::of(who, &world.answers, &origins))
        .collect();
    world.print(global, ask, view::who::SCHEMA, findings)
}

/// What changed of who has access, and who did it.
pub(super) fn changes(global: &Global, arguments: &AskChanges) -> Result<ExitCode, Failure> {
    let ask = &arguments.ask;
    check_rules::<ChangeFinding>(&ask.fail_on)?;
    let world = Asked::open(global, &ask.selectors, false)?;
    let findings = world.changes(ask.all)?;
    world.print(global, ask, view::changes::SCHEMA, findings)
}

/// The whole answer; without a time it is that of the newest record, so that one lake gives one report.
pub(super) fn report(
    global: &Global,
    selectors: &Selectors,
    scope_all: bool,
    accepts: &Accepts,
) -> Result<Report, Failure> {
    let selectors = Selectors {
        at: match &selectors.at {
            Some(at) => Some(at.clone()),
            None => newest_record(global)?.map(eksplain_analyze::time::format_rfc3339),
        },
        ..selectors.clone()
    };
    let world = Asked::open(global, &selectors, scope_all)?;
    let selection = Selection {
        clusters: selectors.cluster.clone(),
        account: selectors.account.clone(),
        region: selectors.region.clone(),
        since: selectors.since.clone(),
        until: selectors.until.clone(),
        scope: if scope_all { "all" } else { "access" }.to_owned(),
    };
    let coverage = world.document::<Admin>(view::admins::SCHEMA, Vec::new()).coverage;
    if coverage.iter().all(|row| row.cluster.is_none()) && !global.quiet {
        let known: BTreeSet<&str> = world
            .answers
            .coverage
            .iter()
            .filter_map(|row| Some(row.cluster.as_ref()?.name.as_str()))
            .collect();
        let known: Vec<&str> = known.into_iter().take(8).collect();
        say::warning(&if known.is_empty() {
            "the lake names no cluster up to then: the report is empty".to_owned()
        } else {
            format!(
                "nothing in the lake is selected: the report is empty; the lake knows {}",
                known.join(", ")
            )
        });
    }
    let (mut admins, mut creators) = (world.admins(false)?, world.creators()?);
    let (mut denials, mut checks) = (world.denials(false)?, world.checks()?);
    accepts.mark(&mut admins);
    accepts.mark(&mut creators);
    accepts.mark(&mut denials);
    accepts.mark(&mut checks);
    if !global.quiet {
        accepts.tell();
    }
    let findings = (admins, creators, denials, checks);
    let at = eksplain_analyze::time::format_rfc3339(world.at);
    Ok(Report::new(at, selection, coverage, findings))
}

/// The time of the newest record.
pub(super) fn newest_record(global: &Global) -> Result<Option<Micros>, Failure> {
    let lake = Lake::open(&global.lake)?;
    let last = eksplain_lake::Table::ALL
        .into_iter()
        .filter_map(|table| lake.last_record(table));
    Ok(last.max())
}

/// Facts up to a moment, completed.
pub(super) fn facts_at(engine: &Engine, at: Micros) -> Result<Facts, Failure> {
    let mut facts = engine.facts(Bounds {
        since: None,
        until: Some(at),
    })?;
    eksplain_analyze::complete(&mut facts);
    Ok(facts)
}

/// A question's world: the answers and what selects among them.
struct Asked<'a> {
    engine: Engine,
    facts: Facts,
    answers: Answers,
    selectors: &'a Selectors,
    since: Option<Micros>,
    until: Option<Micros>,
    at: Micros,
}

impl<'a> Asked<'a> {
    fn open(global: &Global, selectors: &'a Selectors, scope_all: bool) -> Result<Self, Failure> {
        let now = now();
        let moment =
            |name: &str, text: &Option<String>, end| text.as_deref().map(|text| time(name, text, now, end)).transpose();
        let since = moment("--since", &selectors.since, DayEnd::First)?;
        let until = moment("--until", &selectors.until, DayEnd::Last)?;
        let at = moment("--at", &selectors.at, DayEnd::Last)?.unwrap_or(now);
        let began = Instant::now();
        let lake = Lake::open(&global.lake)?;
        let engine = Engine::open(&lake)?;
        let facts = facts_at(&engine, at)?;
        let answers = answer(
            &facts,
            &Options {
                at,
                since,
                until,
                scope_all,
            },
        );
        if global.verbose > 0 {
            let records: u64 = lake.holdings().values().map(|holding| holding.records).sum();
            eprintln!(
                "lake {}: {records} records, answered in {:.2} s",
                lake.root().display(),
                began.elapsed().as_secs_f64()
            );
        }
        let asked = Self {
            engine,
            facts,
            answers,
            selectors,
            since,
            until,
            at,
        };
        asked.check_clusters()?;
        Ok(asked)
    }

    /// The clusters that are named must be in the lake; one that comes into it after the moment is only told.
    fn check_clusters(&self) -> Result<(), Failure> {
        let Selectors {
            cluster: names,
            may_name_unknown,
            ..
        } = self.selectors;
        let known = names_in(&self.answers);
        let is_known = |glob: &String| known.iter().any(|name| eksplain_analyze::glob_matches(glob, name));
        if names.iter().all(is_known) {
            return Ok(());
        }
        let facts = facts_at(&self.engine, Micros::MAX)?;
        let later = eksplain_analyze::can_i::clusters(&facts);
        let later = later.iter().map(|cluster| cluster.name.as_str());
        let all: BTreeSet<&str> = known.iter().copied().chain(later).collect();
        check_clusters(names, all.iter().copied(), *may_name_unknown)?;
        let is_later = |glob: &&String| !is_known(glob) && !glob.contains(['*', '?']);
        for name in names.iter().filter(is_later).filter(|name| all.contains(name.as_str())) {
            say::warning(&format!("the lake has no record of {name} up to then"));
        }
        Ok(())
    }

    /// Facts of the records between `--since` and `--until`, where one of them is given.
    fn facts_within(&self) -> Result<Option<Facts>, Failure> {
        if self.since.is_none() && self.until.is_none() {
            return Ok(None);
        }
        let mut facts = self.engine.facts(Bounds {
            since: self.since,
            until: Some(self.until.map_or(self.at, |until| until.min(self.at))),
        })?;
        eksplain_analyze::complete(&mut facts);
        Ok(Some(facts))
    }

    fn selects(&self, cluster: &Cluster) -> bool {
        let Selectors {
            cluster: names,
            account,
            region,
            ..
        } = self.selectors;
        (names.is_empty()
            || names
                .iter()
                .any(|glob| eksplain_analyze::glob_matches(glob, &cluster.name)))
            && account.as_ref().is_none_or(|account| *account == cluster.account)
            && region.as_ref().is_none_or(|region| *region == cluster.region)
    }

    fn admins(&self, with_managed: bool) -> Result<Vec<Admin>, Failure> {
        let shown: Vec<_> = self
            .answers
            .admins
            .iter()
            .filter(|admin| self.selects(&admin.cluster) && (with_managed || !admin.aws_managed))
            .collect();
        let evidence = shown
            .iter()
            .flat_map(|admin| admin.routes.iter().flat_map(|route| &route.evidence));
        let origins = self.engine.origins(&view::ids(evidence))?;
        Ok(shown.into_iter().map(|admin| Admin::of(admin, &origins)).collect())
    }

    fn creators(&self) -> Result<Vec<Creator>, Failure> {
        let shown: Vec<_> = self
            .answers
            .creators
            .iter()
            .filter(|creator| self.selects(&creator.cluster))
            .collect();
        let evidence = shown.iter().flat_map(|creator| &creator.evidence);
        let origins = self.engine.origins(&view::ids(evidence))?;
        Ok(shown
            .into_iter()
            .map(|creator| Creator::of(creator, &origins))
            .collect())
    }

    fn denials(&self, with_all: bool) -> Result<Vec<Denial>, Failure> {
        let selects = |cluster: Option<&Cluster>| {
            cluster.map_or_else(|| self.selectors.cluster.is_empty(), |cluster| self.selects(cluster))
        };
        let shown: Vec<_> = self
            .answers
            .denials
            .iter()
            .filter(|denial| selects(denial.cluster.as_ref()) && (with_all || !denial.only_with_all))
            .collect();
        let evidence = shown.iter().flat_map(|denial| &denial.evidence);
        let origins = self.engine.origins(&view::ids(evidence))?;
        Ok(shown.into_iter().map(|denial| Denial::of(denial, &origins)).collect())
    }

    fn checks(&self) -> Result<Vec<CheckFinding>, Failure> {
        let checks = eksplain_analyze::check::check(&self.facts, &self.answers, self.at);
        let selects = |check: &eksplain_analyze::check::Check| {
            let of_none = self.selectors.cluster.is_empty();
            check.cluster.as_ref().map_or(of_none, |cluster| self.selects(cluster))
        };
        let shown: Vec<_> = checks.iter().filter(|check| selects(check)).collect();
        let evidence = shown.iter().flat_map(|check| &check.evidence);
        let origins = self.engine.origins(&view::ids(evidence))?;
        Ok(shown
            .into_iter()
            .map(|check| CheckFinding::of(check, &origins))
            .collect())
    }

    fn changes(&self, with_managed: bool) -> Result<Vec<ChangeFinding>, Failure> {
        let changes = eksplain_analyze::changes::changes(&self.facts, &self.answers, self.at, self.since, self.until);
        let selects = |change: &eksplain_analyze::changes::Change| {
            change.matters_for.iter().any(|cluster| self.selects(cluster)) && (with_managed || !change.aws_managed)
        };
        let shown: Vec<_> = changes.iter().filter(|change| selects(change)).collect();
        let evidence = shown.iter().flat_map(|change| &change.evidence);
        let origins = self.engine.origins(&view::ids(evidence))?;
        Ok(shown
            .into_iter()
            .map(|change| ChangeFinding::of(change, &origins))
            .collect())
    }

    fn document<F: Finding>(&self, schema: &'static str, findings: Vec<F>) -> Document<F> {
        let is_unselective =
            self.selectors.cluster.is_empty() && self.selectors.account.is_none() && self.selectors.region.is_none();
        let selected = self.answers.coverage.iter().filter(|row| {
            row.cluster
                .as_ref()
                .map_or(is_unselective, |cluster| self.selects(cluster))
        });
        Document::new(schema, self.at, selected.map(view::coverage).collect(), findings)
    }

    fn print<F: Finding>(
        &self,
        global: &Global,
        ask: &Ask,
        schema: &'static str,
        mut findings: Vec<F>,
    ) -> Result<ExitCode, Failure> {
        if global.output == Output::Sarif {
            return Err(Failure::usage(
                "SARIF output is only available for eksplain check",
                "use -o json, or eksplain check -o sarif",
            ));
        }
        Accepts::read(global.config.as_deref())?.mark(&mut findings);
        let mut document = self.document(schema, findings);
        if matches!(global.output, Output::Table | Output::Md) {
            document.set_accepted_apart();
        }
        let mut out = io::BufWriter::new(io::stdout().lock());
        render::document(&mut out, global.output, &document)?;
        out.flush()?;
        if document.findings.is_empty()
            && document.coverage.is_empty()
            && !global.quiet
            && global.output == Output::Table
        {
            say::hint(
                "eksplain lake status",
                "lists the clusters in the lake: none has that name before then",
            );
        } else if let Some((words, gives)) = F::next(&document.findings) {
            let at = ask.selectors.at.as_ref().filter(|_| !words.starts_with("evidence"));
            let at = at.filter(|_| !words.starts_with("rescue"));
            let at = at.map(|at| format!(" --at {}", quote(at))).unwrap_or_default();
            super::hint(global, &format!("{words}{at}"), gives);
        }
        Ok(matched(global, &ask.fail_on, &document.findings))
    }
}
