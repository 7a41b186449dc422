//! What an error message means: which gate answers so, why, and what to do.
//!
//! A pasted text is taken apart into statements (`normalise`), decoration removed. Sentences with a grammar are read by it
//! (`recognise`) and get the reason that `denials` gives a record with the same text; other sentences are found in the catalogue, over
//! a text whose quoted names are blanked, so that no name decides. What stands before a message is its carrier and has no reason of its
//! own. A word that any gate may have said gives the gates in order.
//!
//! ```
//! let found = eksplain_analyze::explain::explain("error: You must be logged in to the server (Unauthorized)");
//! assert_eq!((found[0].pattern, found[0].layer), ("E05", "authn"));
//! ```

mod catalogue;
mod fixes;
mod names;
mod normalise;
mod quoted;
mod recognise;
mod records;
mod sentence;
mod topics;

#[cfg(test)]
mod tests;

use catalogue::{Entry, GATES, Page, Rank};
pub use names::Names;
use normalise::Statement;
use recognise::{Bare, Recognised};

/// One meaning of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Id in the catalogue (`E05`), of a gate (`G2`), or the reason where a message has no id of its own.
    pub pattern: &'static str,
    /// `iam`, `sts`, `eks`, `authn`, `authz`, `admission`, `apiserver` or `client`.
    pub layer: &'static str,
    /// Id of the denial taxonomy; a carrier has the reason of the message that it wraps.
    pub reason: &'static str,
    /// Other ids of the catalogue that fit the text and mean the same.
    pub also: Vec<&'static str>,
    /// What it means, in a sentence or two.
    pub meaning: &'static str,
    /// What usually causes it.
    pub causes: Vec<String>,
    /// Commands and advice, what to do first at the beginning; names of the text are filled in and quoted.
    pub fix: Vec<String>,
    /// Logs that would tell more; empty where none does.
    pub logs_to_look_in: Vec<&'static str>,
    /// It was found in a text; false for the pages of ids and topics, and for gates that may have answered.
    pub is_heard: bool,
    /// It only wraps another message.
    pub is_carrier: bool,
    /// What the text names.
    pub names: Names,
}

/// Everything that a text may mean, best first, carriers last; empty where nothing is known. An id (`E05`, `authn.not-mapped`), the
/// beginning of reasons (`authn.token`) and a topic (`sso`) give their pages.
pub fn explain(text: &str) -> Vec<Explanation> {
    let asked = text.trim();
    let pages = by_id(asked);
    if !pages.is_empty() {
        return pages;
    }
    if let Some((_, page)) = topics::topic(asked) {
        return vec![of_page("topic", page, &Names::default())];
    }
    let mut heard = Heard::default();
    for (order, statement) in normalise::statements(text).iter().enumerate() {
        heard.statement(statement, order);
    }
    heard.explanations()
}

/// What may be asked by name: ids of the catalogue, reasons, topics.
pub fn ids() -> impl Iterator<Item = &'static str> {
    let entries = catalogue::ENTRIES.iter().map(|(entry, _)| entry.id);
    let pages = catalogue::pages().map(|page| page.reason);
    let topics = topics::TOPICS.iter().flat_map(|(names, _)| names.iter().copied());
    entries.chain(pages).chain(topics)
}

/// Whether a line of a fix is a command to copy, not a sentence.
pub fn is_command(line: &str) -> bool {
    const PROGRAMS: &[&str] = &[
        "aws", "kubectl", "eksctl", "eksplain", "helm", "env", "export", "date", "chmod", "sudo", "chronyc",
    ];
    let first = line.split(' ').next().unwrap_or_default();
    PROGRAMS.contains(&first)
}

/// The pages of an id, of a reason, or of all reasons below it.
fn by_id(text: &str) -> Vec<Explanation> {
    let names = Names::default();
    let is_word = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b));
    if !is_word {
        return Vec::new();
    }
    if let Some((id, page)) = GATES.iter().find(|(id, _)| id.eq_ignore_ascii_case(text)) {
        return vec![of_page(id, page, &names)];
    }
    if let Some(entry) = catalogue::entry_of(text).filter(|entry| entry.id.starts_with('E')) {
        let mut page = of_entry(entry, entry.reason, &names);
        if page.is_carrier {
            page.fix = vec!["give the whole message: what follows this part has the reason".to_owned()];
        }
        return vec![page];
    }
    let reason = text.to_lowercase();
    let is_asked = |page: &&Page| {
        page.reason == reason
            || page
                .reason
                .strip_prefix(&*reason)
                .is_some_and(|rest| rest.starts_with('.'))
    };
    catalogue::pages()
        .filter(is_asked)
        .map(|page| of_page(page.reason, page, &names))
        .collect()
}

fn layer_of(reason: &'static str) -> &'static str {
    reason.split('.').next().unwrap_or_default()
}

fn of_page(pattern: &'static str, page: &Page, names: &Names) -> Explanation {
    let layer = layer_of(page.reason);
    Explanation {
        pattern,
        layer,
        reason: page.reason,
        also: Vec::new(),
        meaning: page.meaning,
        causes: page.causes.iter().map(|cause| (*cause).to_owned()).collect(),
        fix: page.fix.iter().flat_map(|line| fixes::filled(line, names)).collect(),
        logs_to_look_in: catalogue::logs_of(layer).to_vec(),
        is_heard: false,
        is_carrier: false,
        names: names.clone(),
    }
}

/// An entry's own words where it has some, else those of the reason's page.
fn of_entry(entry: &'static Entry, reason: &'static str, names: &Names) -> Explanation {
    const NO_PAGE: Page = Page {
        reason: "",
        meaning: "",
        causes: &[],
        fix: &[],
    };
    // Its own words are about its own reason.
    let is_own = entry.reason == reason;
    let page = catalogue::page_of(reason).unwrap_or(&NO_PAGE);
    let first = |own: &'static [&'static str], of_page: &'static [&'static str]| {
        if own.is_empty() || !is_own { of_page } else { own }
    };
    let page = Page {
        reason,
        meaning: if entry.meaning.is_empty() || !is_own {
            page.meaning
        } else {
            entry.meaning
        },
        causes: first(entry.causes, page.causes),
        fix: first(entry.fix, page.fix),
    };
    let mut explanation = of_page(entry.id, &page, names);
    explanation.is_carrier = entry.rank == Rank::Carrier;
    if entry.id == "E01" || entry.id == "E08" {
        explanation.logs_to_look_in = vec!["authenticator", "audit", "cloudtrail"];
    }
    explanation
}

/// A message that was found, with its place: the later, the further in.
struct Found {
    rank: Rank,
    order: usize,
    place: usize,
    pattern: Option<&'static Entry>,
    reason: &'static str,
}

/// What the statements of a text say, taken together.
#[derive(Default)]
struct Heard {
    found: Vec<Found>,
    names: Names,
    /// A bare word, and whether its statement says nothing else.
    bare: Option<(Bare, bool)>,
}

impl Heard {
    fn statement(&mut self, statement: &Statement, order: usize) {
        match statement {
            Statement::Plain { text, lines } => {
                let is_known = self.sentence(text, order);
                if !is_known {
                    // The lines did not belong together.
                    lines.iter().for_each(|line| {
                        self.sentence(line, order);
                    });
                }
            }
            Statement::Login { error, arn } => {
                self.recognised(recognise::of_login(error, arn.as_deref(), 0), error, order);
            }
            Statement::Call(event) => {
                let text = event
                    .get("errorMessage")
                    .and_then(serde_json::Value::as_str)
                    .unwrap_or_default();
                match recognise::of_event(event) {
                    Some(found) => self.recognised(found, text, order),
                    None => {
                        self.names.fill(Names::of_event(event));
                        let code = event.get("errorCode").and_then(serde_json::Value::as_str);
                        if let Some(code) = code {
                            self.sentence(&format!("{code}: {text}"), order);
                        }
                    }
                }
            }
            Statement::Audit(event) => {
                if let Some(found) = recognise::of_audit(event) {
                    let text = event
                        .pointer("/responseStatus/message")
                        .and_then(serde_json::Value::as_str);
                    self.recognised(found, text.unwrap_or_default(), order);
                }
            }
            Statement::Status { message, code, reason } => {
                match recognise::of_status(*code, reason.as_deref(), message) {
                    Some(found) => self.recognised(found, message, order),
                    None if self.sentence(message, order) => {}
                    None => {
                        let word = match (code, reason.as_deref()) {
                            (Some(401), _) | (_, Some("Unauthorized")) => Some(Bare::Unauthorized),
                            (Some(403), _) | (_, Some("Forbidden")) => Some(Bare::Forbidden),
                            _ => None,
                        };
                        if let Some(word) = word {
                            self.bare = Some((word, false));
                            self.word(word, order);
                        }
                    }
                };
            }
        }
    }

    /// Whether the sentence is known.
    fn sentence(&mut self, text: &str, order: usize) -> bool {
        let masked = quoted::masked(text);
        self.names.fill(Names::of_context(&masked));
        let before = self.found.len();
        let bare = recognise::bare(&masked);
        if let Some((word, true)) = bare {
            self.bare = Some((word, self.bare.is_none_or(|(_, is_alone)| is_alone)));
            return true;
        }
        let inner = quoted::inner(text);
        let outer = recognise::sentence(text, &masked)
            .filter(|found| inner.as_ref().is_none_or(|(place, _)| found.from < *place));
        let head = match outer {
            Some(found) => {
                let head = if found.is_general { masked.len() } else { found.from };
                self.recognised(found, text, order);
                head
            }
            None => {
                if let Some((word, _)) = bare {
                    self.bare = Some((word, false));
                    self.word(word, order);
                }
                if let Some((_, inner)) = inner {
                    self.sentence(&inner, order);
                }
                masked.len()
            }
        };
        self.catalogued(&masked[..head], order);
        self.found.len() > before || bare.is_some()
    }

    /// A bare word behind a carrier: only `Unauthorized` says which gate it was.
    fn word(&mut self, word: Bare, order: usize) {
        let pattern = catalogue::entry_of("E60").filter(|_| word == Bare::Unauthorized);
        self.found.extend(pattern.map(|entry| Found {
            rank: Rank::Word,
            order,
            place: 0,
            pattern: Some(entry),
            reason: entry.reason,
        }));
    }

    /// Sentences of the catalogue in a text; a message with a grammar stands outside it.
    fn catalogued(&mut self, masked: &str, order: usize) {
        for (entry, pattern) in catalogue::ENTRIES.iter() {
            if let Some(place) = pattern.find_iter(masked).last() {
                self.found.push(Found {
                    rank: entry.rank,
                    order,
                    place: place.start(),
                    pattern: Some(entry),
                    reason: entry.reason,
                });
            }
        }
    }

    fn recognised(&mut self, recognised: Recognised, text: &str, order: usize) {
        let from = recognised.from.min(text.len());
        let masked = quoted::masked(&text[from..]);
        self.names.fill(Names::of_context(&masked));
        let reason = recognised.reason;
        // Which sentence of the catalogue it is: one of the same reason, and the most telling of them.
        let is_fitting =
            |entry: &Entry| entry.rank != Rank::Carrier && (entry.reason == reason || is_family(entry.id, reason));
        let fitting = catalogue::ENTRIES
            .iter()
            .filter(|(entry, pattern)| is_fitting(entry) && pattern.is_match(&masked));
        let mut fitting: Vec<&'static Entry> = fitting.map(|(entry, _)| *entry).collect();
        fitting.sort_by_key(|entry| (entry.reason != reason, entry.rank));
        // The carrier's own form may be part of the message: `An error occurred (…) when calling …`.
        let carriers = catalogue::ENTRIES
            .iter()
            .filter(|(entry, pattern)| entry.rank == Rank::Carrier && pattern.is_match(&masked));
        if !recognised.is_general {
            let carriers: Vec<Found> = carriers
                .map(|(entry, _)| Found {
                    rank: Rank::Carrier,
                    order,
                    place: from,
                    pattern: Some(entry),
                    reason: "",
                })
                .collect();
            self.found.extend(carriers);
        }
        let rank = if recognised.is_general {
            Rank::General
        } else {
            Rank::Cause
        };
        let found = |pattern| Found {
            rank,
            order,
            place: from,
            pattern,
            reason,
        };
        match fitting.as_slice() {
            [] => self.found.push(found(None)),
            fitting => self.found.extend(fitting.iter().map(|entry| found(Some(*entry)))),
        }
        self.names.fill(recognised.names);
    }

    fn explanations(mut self) -> Vec<Explanation> {
        let carriers: Vec<&'static Entry> = self.carriers();
        self.found.retain(|found| found.rank != Rank::Carrier);
        // Best rank first; within it the last line, and in it what stands further in.
        self.found
            .sort_by_key(|found| (found.rank, std::cmp::Reverse((found.order, found.place))));
        // A sentence that many causes share says nothing beside one that names its cause.
        if let Some(best) = self
            .found
            .first()
            .map(|found| found.rank)
            .filter(|rank| *rank <= Rank::Connection)
        {
            self.found.retain(|found| found.rank == best);
        }
        let mut explanations: Vec<Explanation> = Vec::new();
        for found in &self.found {
            if let Some(known) = explanations.iter_mut().find(|known| known.reason == found.reason) {
                known
                    .also
                    .extend(found.pattern.map(|entry| entry.id).filter(|id| *id != known.pattern));
                known.also.sort_unstable();
                known.also.dedup();
                continue;
            }
            explanations.push(match found.pattern {
                Some(entry) => of_entry(entry, found.reason, &self.names),
                None => match catalogue::page_of(found.reason) {
                    Some(page) => of_page(found.reason, page, &self.names),
                    None => continue,
                },
            });
        }
        explanations
            .iter_mut()
            .for_each(|explanation| explanation.is_heard = true);
        if explanations.is_empty() {
            explanations = self.gates();
        }
        let Some(first) = explanations.first_mut() else {
            return Vec::new();
        };
        // Terraform and alike read a token once and use it for the whole run.
        if carriers.iter().any(|entry| entry.id == "E35") && first.reason == "authn.not-mapped" {
            first.causes.insert(
                0,
                "in a long Terraform run: the token was read early and expired after 15 minutes".to_owned(),
            );
            first.fix.push(
                "in Terraform's kubernetes and helm providers use exec with aws eks get-token instead of a token"
                    .to_owned(),
            );
        }
        let (reason, layer, pattern) = (first.reason, first.layer, first.pattern);
        let others = carriers.into_iter().filter(|entry| entry.id != pattern);
        explanations.extend(others.map(|entry| Explanation {
            reason,
            layer,
            ..of_entry(entry, "", &self.names)
        }));
        explanations
    }

    fn carriers(&self) -> Vec<&'static Entry> {
        let mut found: Vec<&Found> = self.found.iter().filter(|found| found.rank == Rank::Carrier).collect();
        found.sort_by_key(|found| (found.order, found.place));
        let mut once: Vec<&'static Entry> = Vec::new();
        for entry in found.iter().filter_map(|found| found.pattern) {
            if !once.iter().any(|known| known.id == entry.id) {
                once.push(entry);
            }
        }
        once
    }

    /// The gates that may have said the word, the likeliest first, then in the order in which a request passes them.
    fn gates(&self) -> Vec<Explanation> {
        let Some((word, is_alone)) = self.bare else {
            return Vec::new();
        };
        let gate = |id: &str| {
            GATES
                .iter()
                .find(|(known, _)| *known == id)
                .map(|(id, page)| of_page(id, page, &self.names))
        };
        let login = || {
            let entry = catalogue::entry_of("E60")?;
            let explanation = of_entry(entry, entry.reason, &self.names);
            Some(Explanation {
                is_heard: true,
                ..explanation
            })
        };
        let alone = || {
            gate("G2").map(|explanation| Explanation {
                pattern: "E60",
                is_heard: true,
                ..explanation
            })
        };
        let rest = |likeliest: &str| -> Vec<Explanation> {
            let others = GATES.iter().filter(|(id, _)| *id != likeliest);
            others.map(|(id, page)| of_page(id, page, &self.names)).collect()
        };
        match word {
            // A client of Kubernetes passed it on.
            Bare::Unauthorized if !is_alone => login().into_iter().collect(),
            Bare::Unauthorized => alone().into_iter().chain(rest("G2")).collect(),
            Bare::Forbidden => gate("G3").into_iter().chain(rest("G3")).collect(),
            Bare::AccessDenied => gate("G1").into_iter().chain(rest("G1")).collect(),
        }
    }
}

/// Whether an entry is the sentence of a whole family of reasons.
fn is_family(id: &str, reason: &str) -> bool {
    match id {
        "E42" => reason.starts_with("iam.") || reason == "sts.trust-policy",
        "E16" => reason.starts_with("authz."),
        _ => false,
    }
}
