//! The envelopes in which people have logs.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use super::*;

impl Logs<'_> {
    /// The files. An empty stream or day leaves no file, and changes no other file's name or form.
    pub(crate) fn files(mut self) -> Files {
        let mut files = Files::new();
        for (key, records) in std::mem::take(&mut self.trail) {
            let (account, region, day) = &key;
            let (y, m, d) = (&day[..4], &day[5..7], &day[8..10]);
            let tail = self.rng.base32(16);
            let path = format!(
                "trail/AWSLogs/{account}/CloudTrail/{region}/{y}/{m}/{d}/{account}_CloudTrail_{region}_{y}{m}{d}T2355Z_{tail}.json.gz"
            );
            if records.is_empty() {
                continue;
            }
            let records: Vec<String> = records.iter().map(|r| r.content.to_string()).collect();
            let text = match self.cut.get(&key) {
                Some(whole) => format!(
                    "{{\"Records\":[{}{}{}",
                    records[..*whole].join(","),
                    if *whole > 0 { "," } else { "" },
                    half(&records[*whole])
                ),
                None => format!("{{\"Records\":[{}]}}", records.join(",")),
            };
            files.insert(path, gzip(text.as_bytes()));
        }
        for ((c, kind), lines) in std::mem::take(&mut self.streams) {
            let n = self.names.names[c].clone();
            let stream = format!("{kind}-{}", self.rng.hex(32));
            let folder = format!("eks/{}/{}/{}/{stream}", n.account, n.region, n.name);
            let group = format!("/aws/eks/{}/cluster", n.name);
            let (name, bytes) = match self.rng.below(4) {
                0 => (
                    "events.log".to_owned(),
                    lines
                        .iter()
                        .map(|l| format!("{}\n", l.content))
                        .collect::<String>()
                        .into_bytes(),
                ),
                1 => {
                    let events: Vec<Value> = lines.iter().enumerate().map(|(i, l)| json!({"logStreamName": stream, "timestamp": l.at_ms, "message": l.content, "ingestionTime": l.at_ms + 900, "eventId": format!("{:056}", i)})).collect();
                    (
                        "filter.json".to_owned(),
                        serde_json::to_vec_pretty(&json!({"events": events, "searchedLogStreams": []}))
                            .expect("JSON is written"),
                    )
                }
                2 => {
                    let text: String = lines
                        .iter()
                        .map(|l| format!("{} {}\n", stamp(l.at_ms * 1000, 3), l.content))
                        .collect();
                    ("000000.gz".to_owned(), gzip(text.as_bytes()))
                }
                _ => {
                    let mut joined = Vec::new();
                    for (k, chunk) in lines.chunks(40).enumerate() {
                        let events: Vec<Value> = chunk.iter().enumerate().map(|(i, l)| json!({"id": format!("{:056}", k * 40 + i), "timestamp": l.at_ms, "message": l.content})).collect();
                        let doc = json!({"messageType": "DATA_MESSAGE", "owner": n.account, "logGroup": group, "logStream": stream, "subscriptionFilters": ["f"], "logEvents": events});
                        joined.extend(gzip(doc.to_string().as_bytes()));
                    }
                    ("delivery-1".to_owned(), joined)
                }
            };
            if !lines.is_empty() {
                files.insert(format!("{folder}/{name}"), bytes);
            }
        }
        files
    }
}

/// The first half of a record, as a limit of size leaves it.
pub(crate) fn half(text: &str) -> &str {
    let mut end = text.len() / 2;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("memory takes every byte")
}
