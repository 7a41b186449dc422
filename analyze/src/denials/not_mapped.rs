//! Why the authenticator knew nobody by that ARN: by the state of that moment, and by what was there before.
//!
//! Rule: the domain's section 5.2. What is known whole makes a cause certain; what is known across a gap makes it likely; where nothing
//! is known of aws-auth, that is said.

use eksplain_parse::arn::{Arn, PrincipalKind};
use eksplain_parse::aws_auth::{AwsAuth, Mapping, Section};
use eksplain_parse::time::format_rfc3339;
use eksplain_queries::facts::{DeniedLogin, Micros, StsResponse};

use super::Verdict;
use super::authn::last_login;
use crate::findings::{Cluster, Confidence, Fix, PrincipalState, Reason};
use crate::fixes::access_entry::Kind;
use crate::fixes::aws_auth::is_broken;
use crate::fixes::names::{WholeArn, in_aws_auth};
use crate::fixes::{self, NOW, access_entry, aws_auth, client};
use crate::knowledge::{Known, Measure};
use crate::near_miss::nearest;
use crate::state::aws_auth::Content;
use crate::state::entries::{AccessEntry, key_of};
use crate::state::history::{How, State};
use crate::state::{Incarnation, Mode, World};

/// A refused login and where it belongs.
pub(super) struct Refused<'r, 'w> {
    pub(super) world: &'r World<'w>,
    pub(super) life: &'r Incarnation<'w>,
    pub(super) cluster: &'r Cluster,
    pub(super) line: &'r DeniedLogin,
    /// As the line has it: a user's path is kept.
    pub(super) arn: &'r str,
    /// In the form of answers.
    pub(super) principal: &'r str,
    pub(super) sts: Option<&'r StsResponse>,
}

/// A new access entry takes effect within this time.
const PROPAGATION: Micros = 60 * 1_000_000;

pub(super) fn verdict(refused: &Refused<'_, '_>) -> Verdict {
    let mut verdict = refused
        .by_entry()
        .or_else(|| refused.by_aws_auth())
        .unwrap_or_else(|| refused.by_absence());
    if let Some(since) = refused.corrected_since() {
        verdict.fix = vec![fixes::words(since), client::verify()];
    }
    verdict
}

impl Refused<'_, '_> {
    fn ts(&self) -> Micros {
        self.line.at.ts
    }

    fn mode(&self) -> Mode {
        self.life.mode_at(self.ts())
    }

    /// The ARN that aws-auth compares.
    fn caller(&self) -> String {
        let parsed = Arn::parse(self.arn).ok().and_then(|parsed| parsed.matching());
        parsed.unwrap_or_else(|| self.arn.to_owned())
    }

    fn maps_caller<'a>(&self, auth: &'a AwsAuth) -> Option<&'a Mapping> {
        let caller = self.caller();
        let parsed = Arn::parse(&caller).ok()?;
        auth.find(&parsed)
    }

    /// An access entry of its ARN that does not admit it.
    fn by_entry(&self) -> Option<Verdict> {
        if self.mode() == Mode::ConfigMap {
            return None;
        }
        let ts = self.ts();
        let key = key_of(self.principal);
        let entry = self.life.entries_at(ts).find(|entry| entry.is_of(key.as_deref()))?;
        let bound = entry.made_at.unwrap_or(entry.stay.first.ts);
        let is_stranger = self.world.iam.fate(self.principal, bound, ts, true).recreated.is_some();
        let is_new = !is_stranger
            && ts - entry.stay.start() < PROPAGATION
            && last_login(self.world, self.line, self.principal).is_some_and(|login| login > ts);
        if is_new {
            return Some(Verdict::new(
                Reason::AuthnAccessEntryPropagating,
                "the access entry was created less than a minute earlier and had not taken effect yet",
                Confidence::Likely,
            ));
        }
        let had_other_id = self
            .sts
            .and_then(|sts| sts.user_id.as_deref())
            .is_some_and(|id| self.logged_in_with_another_id(id));
        let is_whole = self.life.entries_doubt_at(ts, Measure::Whole).is_none();
        let confidence = match (is_stranger || had_other_id, is_whole) {
            (true, true) => Confidence::Certain,
            _ => Confidence::Likely,
        };
        let cause = "its access entry is bound to the unique ID of an earlier principal of the same name";
        let fix = access_entry::renew(self.cluster, entry, ts, &self.whole_arn(entry));
        Some(Verdict::new(Reason::AuthnAccessEntryStaleId, cause, confidence).with([fix]))
    }

    /// What admits the caller by now, where it did not then.
    fn corrected_since(&self) -> Option<String> {
        let key = key_of(self.principal);
        let mode = self.life.mode_at(NOW);
        let mut entries = self.life.entries_at(NOW).filter(|_| mode.reads_entries());
        let newer = entries.find(|entry| entry.is_of(key.as_deref()) && entry.stay.start() > self.ts());
        if let Some(entry) = newer {
            let when = format_rfc3339(entry.stay.start());
            return Some(format!(
                "Log in again: an access entry for the caller was created at {when}, after this refusal"
            ));
        }
        if matches!(mode, Mode::Api | Mode::Unknown) {
            return None;
        }
        let Known::Is(now) = self.life.aws_auth_at(self.life.logs.lake_end(), Measure::Standing) else {
            return None;
        };
        let then = self.life.aws_auth_at(self.ts(), Measure::Whole);
        let is_mapped_now = self.maps_caller(&now.auth).is_some();
        let was_mapped = then.likely().is_some_and(|then| self.maps_caller(&then.auth).is_some());
        (is_mapped_now && !was_mapped)
            .then(|| "Log in again: aws-auth has mapped the caller since this refusal".to_owned())
    }

    fn logged_in_with_another_id(&self, id: &str) -> bool {
        let is_other = |uid: &str| uid.rsplit(':').next().is_some_and(|known| known != id);
        let of_principal = |arn: Option<&str>| arn.is_some_and(|arn| arn.eq_ignore_ascii_case(self.principal));
        self.world.index.logins(&self.line.place).iter().any(|login| {
            login.last.ts < self.line.at.ts
                && of_principal(login.canonical_arn.as_deref())
                && login.uid.as_deref().is_some_and(is_other)
        })
    }

    /// What aws-auth holds, or lacks, in a mode that reads it.
    fn by_aws_auth(&self) -> Option<Verdict> {
        let ts = self.ts();
        let known = self.life.aws_auth_at(ts, Measure::Whole);
        if self.mode() == Mode::Api {
            return self.ignored(&known);
        }
        match &known {
            Known::Is(content) => self.by_content(content, None),
            Known::Absent if self.was_deleted() || self.mode_reads_aws_auth() => Some(self.missing()),
            Known::Absent => None,
            Known::Unknown(doubt) => {
                let why = match &doubt.gap {
                    Some(gap) => gap.sentence(),
                    None => "a write between does not show its content".to_owned(),
                };
                let seen = match doubt.seen {
                    Some(seen) if seen > ts => {
                        format!(
                            "as a snapshot of {} shows aws-auth, which is younger than the refusal: {why}",
                            format_rfc3339(seen)
                        )
                    }
                    Some(seen) => format!("as aws-auth was at {}: {why}", format_rfc3339(seen)),
                    None => why,
                };
                self.by_content(doubt.nearest?, Some(&seen))
            }
        }
    }

    /// Whether it is known that the cluster read aws-auth then: only then does its absence shut anybody out.
    fn mode_reads_aws_auth(&self) -> bool {
        matches!(
            self.life.mode_known_at(self.ts(), Measure::Whole),
            Known::Is(Mode::ConfigMap | Mode::ApiAndConfigMap)
        )
    }

    /// Whoever had it deleted it: somebody read it until then.
    fn was_deleted(&self) -> bool {
        self.life
            .aws_auth
            .last_by(self.ts())
            .is_some_and(|version| version.how == How::Death)
    }

    fn ignored(&self, known: &Known<&Content>) -> Option<Verdict> {
        self.maps_caller(&known.likely()?.auth)?;
        let confidence = match known {
            Known::Is(_) => Confidence::Certain,
            _ => Confidence::Likely,
        };
        let cause = "aws-auth maps it, and the cluster's mode is API, which ignores aws-auth";
        Some(Verdict::new(Reason::AuthnAwsAuthIgnored, cause, confidence).with([self.entry(), client::verify()]))
    }

    /// A mapping that was meant for the caller; `across` says what lies between the content and the refusal.
    fn by_content(&self, content: &Content, across: Option<&str>) -> Option<Verdict> {
        let caller = self.caller();
        let auth = &content.auth;
        let weaken = |confidence: Confidence| match across {
            Some(_) => confidence.max(Confidence::Likely),
            None => confidence,
        };
        let say = |cause: String| match across {
            Some(why) => format!("{cause} ({why})"),
            None => cause,
        };
        let (section, key) = if caller.contains(":user/") {
            (Section::Users, "mapUsers")
        } else {
            (Section::Roles, "mapRoles")
        };
        let names_caller = || content.data[key].as_str().is_some_and(|text| holds_word(text, &caller));
        if auth.lost(section) && (names_caller() || self.was_mapped_when_it_parsed()) {
            let cause =
                format!("{key} of aws-auth does not parse, so that nobody in it is known; it would map the caller");
            let verdict = Verdict::new(Reason::AuthnAwsAuthMalformed, say(cause), weaken(Confidence::Certain));
            return Some(verdict.with([self.restore("Restore the last aws-auth that parsed")]));
        }
        let miss = nearest(auth, &caller)?;
        let cause = format!("{}: {}", miss.slip.cause(), miss.mapping.arn);
        let fix = match self.life.mode_at(NOW) {
            Mode::Api => self.entry(),
            _ => aws_auth::correct(
                self.cluster,
                miss.mapping,
                &in_aws_auth(self.world, self.principal),
                miss.slip.rule().is_some(),
            ),
        };
        Some(Verdict::new(miss.slip.reason(), say(cause), weaken(miss.slip.confidence())).with([fix, client::verify()]))
    }

    fn missing(&self) -> Verdict {
        let deletion = self.life.aws_auth.last_by(self.ts());
        let cause = match deletion {
            Some(version) if version.how == How::Death => format!(
                "aws-auth is not there: it was deleted by {} at {}",
                version.by.as_deref().unwrap_or("somebody"),
                format_rfc3339(version.at.ts)
            ),
            Some(_) => "aws-auth is not there".to_owned(),
            None => "aws-auth was never created".to_owned(),
        };
        let fix = match self.contents_by(self.ts()).next_back() {
            Some(_) => self.restore("Restore aws-auth as it was last"),
            // A mapping makes the ConfigMap where there is none.
            None => self.mapping(),
        };
        Verdict::new(Reason::AuthnAwsAuthMissing, cause, Confidence::Certain).with([fix])
    }

    /// Nothing admits the caller: what did, what became of it, and what is not known.
    fn by_absence(&self) -> Verdict {
        let ts = self.ts();
        let aws_auth = self.life.aws_auth_at(ts, Measure::Whole);
        let is_known = !aws_auth.is_unknown()
            && (self.life.mode_is_config_map(ts) || self.life.entries_doubt_at(ts, Measure::Whole).is_none());
        let confidence = if is_known {
            Confidence::Certain
        } else {
            Confidence::Likely
        };
        if let Some(verdict) = self
            .removed_mapping(confidence)
            .or_else(|| self.removed_entry(confidence))
        {
            return verdict;
        }
        let fate = self.world.iam.fate(self.principal, Micros::MIN, ts, false);
        if fate.state == PrincipalState::Deleted {
            let cause = "the IAM principal was deleted; credentials from before still worked at STS";
            return Verdict::new(Reason::AuthnPrincipalDeleted, cause, Confidence::Likely).with(self.instead());
        }
        let cause = if is_known {
            "no mapping and no access entry admits the caller".to_owned()
        } else if self.mode() != Mode::Api && aws_auth.is_unknown() {
            "no known mapping or access entry admits the caller; the content of aws-auth is not in these logs"
                .to_owned()
        } else {
            "no known mapping or access entry admits the caller; these logs do not show which access entries exist"
                .to_owned()
        };
        Verdict::new(Reason::AuthnNotMapped, cause, confidence).with(self.defaults())
    }

    /// A mapping that was there and was taken away.
    fn removed_mapping(&self, confidence: Confidence) -> Option<Verdict> {
        if self.mode() == Mode::Api {
            return None;
        }
        let ts = self.ts();
        let versions: Vec<_> = self
            .life
            .aws_auth
            .versions()
            .iter()
            .filter(|version| version.at.ts <= ts)
            .collect();
        let mapped_in = |state: &State<Content>| match state {
            State::Is(content) => self.maps_caller(&content.auth).cloned(),
            State::Absent | State::Obscured => None,
        };
        let last = versions
            .iter()
            .rposition(|version| mapped_in(&version.state).is_some())?;
        let mapping = mapped_in(&versions[last].state)?;
        let next = versions.get(last + 1).filter(|next| next.state != State::Obscured)?;
        let by = next.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let when = format_rfc3339(next.at.ts);
        let how = match next.how {
            How::Look => format!("was gone from it by {when}"),
            _ => format!("was removed at {when}{by}"),
        };
        let cause = format!("the mapping of {} in aws-auth {how}", mapping.arn);
        let restored = aws_auth::restore(self.cluster, &mapping);
        let all = self.lost_with(&versions[last].state, &next.state);
        let whole = matches!(&next.state, State::Is(content) if content.auth.mappings.is_empty())
            .then(|| self.restore("Or restore all of aws-auth as it was before"));
        Some(
            Verdict::new(Reason::AuthnNotMapped, cause, confidence)
                .with([restored])
                .with(whole)
                .with(all)
                .with([client::verify()]),
        )
    }

    /// An access entry that was there and was deleted.
    fn removed_entry(&self, confidence: Confidence) -> Option<Verdict> {
        let ts = self.ts();
        let key = key_of(self.principal);
        let ended = |entry: &&AccessEntry| {
            entry.is_of(key.as_deref()) && entry.stay.end.as_ref().is_some_and(|end| end.at <= ts)
        };
        let entry = self.life.entries.iter().rev().find(ended)?;
        let end = entry.stay.end.as_ref()?;
        let by = end.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let when = format_rfc3339(end.at);
        let cause = match end.is_exact {
            true => format!("its access entry was deleted at {when}{by}"),
            false => format!("its access entry was gone by {when}"),
        };
        let fix = access_entry::restore(self.cluster, entry, end.at - 1);
        Some(Verdict::new(Reason::AuthnNotMapped, cause, confidence).with([fix, client::verify()]))
    }

    /// An EC2 instance's session has the instance's id as its name.
    fn is_node(&self) -> bool {
        let session = self
            .line
            .session
            .as_deref()
            .or_else(|| self.sts.and_then(|sts| sts.session.as_deref()));
        let id = session.and_then(|session| session.strip_prefix("i-"));
        id.is_some_and(|id| matches!(id.len(), 8 | 17) && id.bytes().all(|b| b.is_ascii_hexdigit()))
    }

    /// The principal's ARN of now: created again, it may have another path than its entry.
    fn whole_arn(&self, entry: &AccessEntry) -> WholeArn {
        let now = self.world.paths.whole(self.principal);
        WholeArn::known(now.as_deref().unwrap_or(&entry.principal_arn))
    }

    fn entry(&self) -> Fix {
        let kind = if self.is_node() {
            Kind::Node
        } else {
            Kind::Viewer("NAMESPACE")
        };
        access_entry::admit(
            self.life,
            self.principal,
            &WholeArn::of(self.world, self.principal),
            kind,
        )
    }

    fn mapping(&self) -> Fix {
        aws_auth::map(self.life, &in_aws_auth(self.world, self.principal), self.is_node())
    }

    /// What gives access in the mode that the cluster is in now.
    fn defaults(&self) -> Vec<Fix> {
        let arn = Arn::parse(self.principal);
        if arn.is_ok_and(|arn| arn.name().starts_with("AWSServiceRoleFor")) {
            return vec![fixes::words(
                "The caller is a service-linked role, which cannot have an access entry: its AWS service gives it access, or another role has to be used",
            )];
        }
        // Only roles and users can have entries.
        let can_have_entry = arn.is_ok_and(|arn| matches!(arn.kind(), PrincipalKind::Role | PrincipalKind::User));
        match self.life.mode_at(NOW) {
            _ if !can_have_entry => vec![fixes::words(
                "Log in as a role or a user: the root user and federated users cannot have access entries",
            )],
            Mode::Api => vec![self.entry(), client::verify()],
            Mode::ConfigMap => vec![self.mapping(), self.entry(), client::verify()],
            Mode::ApiAndConfigMap | Mode::SomeApi => vec![self.entry(), self.mapping(), client::verify()],
            Mode::Unknown => vec![self.entry(), self.mapping(), client::verify()],
        }
    }

    /// What helps somebody whose principal is gone.
    fn instead(&self) -> Vec<Fix> {
        match self.world.iam.renamed(self.principal, Micros::MIN, NOW) {
            Some(new) => vec![fixes::iam::rename_back(&new, self.principal), client::verify()],
            None => vec![fixes::advice::of(Reason::AuthnPrincipalDeleted), client::verify()],
        }
    }

    /// Everything that one write took away, where that is more than the caller's mapping.
    fn lost_with(&self, before: &State<Content>, after: &State<Content>) -> Option<Fix> {
        let (State::Is(before), State::Is(after)) = (before, after) else {
            return None;
        };
        // Whoever emptied it is served by the manifest.
        let is_lost = |mapping: &&Mapping| {
            !after
                .auth
                .mappings
                .iter()
                .any(|other| other.arn.eq_ignore_ascii_case(&mapping.arn))
        };
        let lost: Vec<&Mapping> = before.auth.mappings.iter().filter(is_lost).collect();
        (!after.auth.mappings.is_empty()).then(|| aws_auth::restore_all(self.cluster, &lost))?
    }

    /// Contents of aws-auth that parse as a whole, up to a moment.
    fn contents_by(&self, ts: Micros) -> impl DoubleEndedIterator<Item = &Content> {
        self.life
            .aws_auth_contents()
            .filter(move |(version, _)| version.at.ts <= ts)
            .map(|(_, content)| content)
            .filter(|content| !is_broken(content) && !content.auth.mappings.is_empty())
    }

    fn was_mapped_when_it_parsed(&self) -> bool {
        self.contents_by(self.ts())
            .next_back()
            .is_some_and(|content| self.maps_caller(&content.auth).is_some())
    }

    /// The last content that parsed, as a manifest.
    fn restore(&self, title: &str) -> Fix {
        aws_auth::put_back(self.life, self.contents_by(self.ts()).next_back(), title)
    }
}

/// Whether the text has the ARN as a word of its own, not as the beginning of a longer one.
fn holds_word(text: &str, arn: &str) -> bool {
    let (text, arn) = (text.to_lowercase(), arn.to_lowercase());
    text.match_indices(&arn).any(|(at, found)| {
        text[at + found.len()..]
            .chars()
            .next()
            .is_none_or(|c| !(c.is_ascii_alphanumeric() || "/_-+=,.@".contains(c)))
    })
}
