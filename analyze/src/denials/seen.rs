//! What the terminal of the refused shows.

use crate::findings::{Layer, RequestShape};

/// What the terminal of the refused shows.
pub(super) fn seen_as(layer: Layer, request: &RequestShape, text: Option<&str>) -> Vec<String> {
    match layer {
        Layer::Authn => vec![
            "error: You must be logged in to the server (Unauthorized)".to_owned(),
            "error: You must be logged in to the server (the server has asked for the client to provide credentials)"
                .to_owned(),
        ],
        Layer::Authz | Layer::Admission | Layer::Apiserver => text
            .map(|message| format!("Error from server: {message}"))
            .into_iter()
            .collect(),
        _ => {
            let operation = request
                .aws_action
                .as_deref()
                .and_then(|action| action.split(':').nth(1))
                .unwrap_or("?");
            text.map(|message| format!("An error occurred when calling the {operation} operation: {message}"))
                .into_iter()
                .collect()
        }
    }
}
