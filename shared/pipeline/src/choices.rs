//! Settings that are words: how many clusters, and by what.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The word for a number that is to be chosen from the recording.
const AUTO: &str = "auto";

/// Number of clusters: stated, or to be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clusters {
    /// This many.
    Count(usize),
    /// The number of 2 to 10 whose mean silhouette is largest.
    Auto,
}

/// A word that is no number of clusters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no number of clusters: give 1 to 100 or auto")]
pub struct NoClusters(String);

impl FromStr for Clusters {
    type Err = NoClusters;

    fn from_str(text: &str) -> Result<Self, NoClusters> {
        if text == AUTO { Ok(Self::Auto) } else { text.parse().map(Self::Count).map_err(|_| NoClusters(text.to_owned())) }
    }
}

impl fmt::Display for Clusters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(k) => k.fmt(f),
            Self::Auto => f.write_str(AUTO),
        }
    }
}

impl Serialize for Clusters {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(k) => k.serialize(to),
            Self::Auto => to.serialize_str(AUTO),
        }
    }
}

impl<'de> Deserialize<'de> for Clusters {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl serde::de::Visitor<'_> for Either {
            type Value = Clusters;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or auto")
            }

            fn visit_u64<E: serde::de::Error>(self, k: u64) -> Result<Clusters, E> {
                // What is larger is out of range all the same.
                Ok(Clusters::Count(usize::try_from(k).unwrap_or(usize::MAX)))
            }

            fn visit_i64<E: serde::de::Error>(self, k: i64) -> Result<Clusters, E> {
                usize::try_from(k).map(Clusters::Count).map_err(|_| E::custom(NoClusters(k.to_string())))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Clusters, E> {
                if text == AUTO { Ok(Clusters::Auto) } else { Err(E::custom(NoClusters(text.to_owned()))) }
            }
        }
        from.deserialize_any(Either)
    }
}

/// What describes a cell when cells are clustered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClusterBy {
    /// Its covariances with all cells: loud cells count more.
    Covariance,
    /// Its correlations with all cells, which are the covariances of standardised traces.
    Correlation,
}

/// A word that is no kind of matrix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cells cannot be clustered by `{0}`: give covariance or correlation")]
pub struct NoMatrix(String);

impl FromStr for ClusterBy {
    type Err = NoMatrix;

    fn from_str(text: &str) -> Result<Self, NoMatrix> {
        match text {
            "covariance" => Ok(Self::Covariance),
            "correlation" => Ok(Self::Correlation),
            other => Err(NoMatrix(other.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_clusters_are_written_as_they_are_read() {
        for (text, json, value) in [("4", "4", Clusters::Count(4)), ("auto", "\"auto\"", Clusters::Auto)] {
            assert_eq!(text.parse(), Ok(value));
            assert_eq!(value.to_string(), text);
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            assert_eq!(serde_json::from_str::<Clusters>(json).unwrap(), value);
        }
    }

    #[test]
    fn what_is_no_number_of_clusters_is_refused_with_what_is() {
        for json in ["\"some\"", "-3", "\"4\"", "2.5", "true"] {
            let error = serde_json::from_str::<Clusters>(json).unwrap_err();
            assert!(error.to_string().contains("auto"), "{json}: {error}");
        }
        for text in ["some", "-3", "2.5", "Auto", ""] {
            assert!(text.parse::<Clusters>().unwrap_err().to_string().contains("1 to 100 or auto"), "{text}");
        }
    }

    #[test]
    fn matrices_have_one_spelling() {
        for by in [ClusterBy::Covariance, ClusterBy::Correlation] {
            let word = serde_json::to_value(by).unwrap();
            assert_eq!(word.as_str().unwrap().parse(), Ok(by));
        }
        assert!("distance".parse::<ClusterBy>().unwrap_err().to_string().contains("covariance or correlation"));
    }
}
