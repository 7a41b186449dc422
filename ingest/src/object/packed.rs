//! Records packed as base64 of gzip inside JSON: what Lambda and Firehose's endpoints are handed, and what Firehose could not deliver.

use std::borrow::Cow;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use super::json::Top;
use super::record::Records;
use super::{At, WINDOW};

#[derive(Deserialize)]
struct Data<'d> {
    #[serde(borrow)]
    data: Cow<'d, str>,
}

impl Records<'_> {
    /// Takes what is packed in this object; false where nothing is.
    pub(super) fn packed(&mut self, top: &Top<'_>, at: At<'_>) -> bool {
        let inner = |key: &str| {
            serde_json::from_str::<Data<'_>>(top.raw(key)?)
                .ok()
                .map(|data| data.data)
        };
        let all = |key: &str| {
            let list = top.raw(key).filter(|raw| raw.starts_with('['))?;
            let list = serde_json::from_str::<Vec<Data<'_>>>(list).ok()?;
            Some(list.into_iter().map(|data| data.data).collect::<Vec<_>>())
        };
        // Lambda's event, a record of Kinesis, what Firehose failed with, the body of its HTTP endpoint and of its transformations.
        let one = inner("awslogs")
            .or_else(|| inner("kinesis"))
            .or_else(|| top.text("rawData"));
        let Some(bodies) = one.map(|one| vec![one]).or_else(|| all("records")) else {
            return false;
        };
        for body in bodies {
            if let Err(reason) = self.unpack(&body, at.inside()) {
                self.reject("unknown", &reason, &body, at);
            }
        }
        true
    }

    fn unpack(&mut self, body: &str, at: At<'_>) -> Result<(), String> {
        let packed = STANDARD
            .decode(body.trim())
            .map_err(|error| format!("not base64: {error}"))?;
        let mut plain = Vec::new();
        if packed.starts_with(&[0x1f, 0x8b]) {
            let mut stream = MultiGzDecoder::new(packed.as_slice()).take(WINDOW.longest as u64 + 1);
            stream
                .read_to_end(&mut plain)
                .map_err(|error| format!("cut off: packed data that ends too early ({error})"))?;
            if plain.len() > WINDOW.longest {
                return Err("packed data of more than 64 MiB".to_owned());
            }
        } else {
            plain = packed;
        }
        let text = String::from_utf8(plain).map_err(|_| "packed data that is not text".to_owned())?;
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            match self.json(rest, at) {
                Ok(end) => rest = rest[end..].trim_start(),
                Err(error) => return Err(format!("packed data that is not JSON: {error}")),
            }
        }
        Ok(())
    }
}
