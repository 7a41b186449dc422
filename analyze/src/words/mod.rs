//! The words of the interface: each family is an enum, so that the compiler knows them all. A word is written once, with its id and its
//! meaning in plain English.
//!
//! Never knows of facts, findings or state.

mod change;
mod grant;
mod judgement;
mod layer;
mod reason;
mod rule;
mod source;

pub use change::ChangeKind;
pub use grant::{Power, PrincipalState, PrincipalType, RouteKind, Status};
pub use judgement::{Basis, Confidence, Severity, Works};
pub use layer::Layer;
pub use reason::Reason;
pub use rule::Rule;
pub use source::Source;

/// A family of words: variant, id of the interface, meaning. Ordered as written; serialized as the id.
macro_rules! words {
    ($(#[$doc:meta])* pub enum $family:ident { $($variant:ident = $id:literal: $meaning:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $family {
            $(#[doc = concat!("`", $id, "`: ", $meaning, ".")] $variant,)+
        }

        impl $family {
            /// Every word of the family, in its order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word of the interface.
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)+
                }
            }

            /// What it means: a phrase without a full stop.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)+
                }
            }

            /// The word of an id, if the family has it.
            pub fn from_id(id: &str) -> Option<Self> {
                match id {
                    $($id => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $family {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.id())
            }
        }

        impl serde::Serialize for $family {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.id())
            }
        }
    };
}
use words;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_word() {
        assert!(Reason::ALL.iter().all(|word| Reason::from_id(word.id()) == Some(*word)));
        assert!(Rule::ALL.iter().all(|word| Rule::from_id(word.id()) == Some(*word)));
        assert_eq!(Source::from_id("cluster"), None);
        assert!(Layer::ALL.is_sorted_by_key(|word| word.id()));
        assert!(Source::ALL.is_sorted_by_key(|word| word.id()));
        assert!(RouteKind::ALL.is_sorted_by_key(|word| word.id()));
        assert_eq!(format!("{:<9}|", Severity::High), "high     |");
    }
}
