//! What only people know of an experiment, for the NWB file: the tables `[nwb]` and `[nwb.subject]` of the settings.

use serde::{Deserialize, Deserializer, Serialize};

use crate::settings::{SettingsError, in_range};
use crate::{Sourced, Timestamp};

/// Longest text, bytes.
const LONGEST: usize = 4000;
/// Most entries of a list.
const MOST: usize = 100;

macro_rules! optional_texts {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $field:ident),* $(,)? } $($(#[$other_doc:meta])* $other:ident: $of:ty),* $(,)?) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<String>,)*
            $($(#[$other_doc])* pub $other: $of,)*
        }

        impl $name {
            /// The texts that are set, each with its name.
            fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
                [$((stringify!($field), self.$field.as_deref())),*].into_iter().filter_map(|(name, text)| Some((name, text?)))
            }

            /// The texts of `self`, those of `below` where it has none.
            fn texts_over(&mut self, below: &Self) {
                $(if self.$field.is_none() { self.$field.clone_from(&below.$field); })*
            }
        }
    };
}

optional_texts! {
    /// The animal; everything may be left out. Unknown names are refused.
    NwbSubject {
        /// The lab's name of it.
        id,
        /// Species in Latin (`Danio rerio`), or a term of the NCBI taxonomy.
        species,
        /// `M`, `F`, `O` (other), `U` (unknown); of nematodes `XX` or `XO`.
        sex,
        /// Age, a duration of ISO 8601 (`P7D`).
        age,
        /// Genotype.
        genotype,
        /// Strain.
        strain,
        /// Anything else.
        description,
    }
}

optional_texts! {
    /// The experiment; everything may be left out. Unknown names are refused.
    Nwb {
        /// What was done in this session.
        session_description,
        /// The lab's own name of the session.
        session_id,
        /// What the experiment was for.
        experiment_description,
        /// Institution.
        institution,
        /// Lab.
        lab,
        /// Name of the microscope.
        device,
        /// What the microscope is.
        device_description,
        /// Where in the brain the planes lie.
        location,
        /// Indicator, where the setting of the same name does not know it.
        indicator,
    }
    /// When the session began, RFC 3339 with its offset.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "date")]
    session_start: Option<Timestamp>,
    /// Who did it, each `Last, First`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    experimenters: Vec<String>,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keywords: Vec<String>,
    /// Wavelength of the excitation, nm, 200 to 3000.
    #[serde(skip_serializing_if = "Option::is_none")]
    excitation_nm: Option<f64>,
    /// Wavelength of the emission, nm, 200 to 3000.
    #[serde(skip_serializing_if = "Option::is_none")]
    emission_nm: Option<f64>,
    /// The animal.
    #[serde(skip_serializing_if = "NwbSubject::is_empty")]
    subject: NwbSubject,
}

impl NwbSubject {
    /// Whether nothing is stated.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn check(&self) -> Result<(), SettingsError> {
        check_texts(self.texts())?;
        let known = |sex: &str| ["M", "F", "O", "U", "XX", "XO"].contains(&sex);
        check_form("sex", self.sex.as_deref(), known, "M, F, O, U, XX or XO")?;
        check_form("age", self.age.as_deref(), is_age, "a duration of ISO 8601 such as P7D or P3M, or two with / between them")?;
        check_form("species", self.species.as_deref(), is_species, "a Latin name such as Danio rerio or Mus musculus")
    }
}

impl Nwb {
    /// Whether nothing is stated.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// When the session began, and who says so: these settings, else the moment at which the recording came.
    pub fn start(&self, came: Timestamp) -> Sourced<Timestamp> {
        let (value, source) = self.session_start.map_or((came, "assumed"), |start| (start, "settings"));
        Sourced { value, source: source.to_owned() }
    }

    /// What is set here, `below` elsewhere.
    pub(crate) fn over(&self, below: &Self) -> Self {
        let mut all = self.clone();
        all.texts_over(below);
        all.subject.texts_over(&below.subject);
        all.session_start = self.session_start.or(below.session_start);
        all.excitation_nm = self.excitation_nm.or(below.excitation_nm);
        all.emission_nm = self.emission_nm.or(below.emission_nm);
        for (list, below) in [(&mut all.experimenters, &below.experimenters), (&mut all.keywords, &below.keywords)] {
            if list.is_empty() {
                list.clone_from(below);
            }
        }
        all
    }

    /// Checks every value that is set.
    ///
    /// # Errors
    /// The first that cannot be.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        check_texts(self.texts())?;
        for (name, list) in [("experimenters", &self.experimenters), ("keywords", &self.keywords)] {
            in_range(name, Some(list.len() as f64), 0.0, MOST as f64, "a list of at most 100")?;
            check_texts(list.iter().map(|text| (name, text.as_str())))?;
        }
        check_form("device", self.device.as_deref(), |name| !name.contains('/'), "a name without a slash")?;
        for (name, nm) in [("excitation_nm", self.excitation_nm), ("emission_nm", self.emission_nm)] {
            in_range(name, nm, 200.0, 3000.0, "200 to 3000 (nm)")?;
        }
        self.subject.check()
    }
}

fn check_texts<'a>(texts: impl Iterator<Item = (&'static str, &'a str)>) -> Result<(), SettingsError> {
    let usable = |text: &str| {
        !text.trim().is_empty() && text.len() <= LONGEST && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
    };
    texts.into_iter().try_for_each(|(name, text)| check_form(name, Some(text), usable, "a text of 1 to 4000 bytes"))
}

fn check_form(
    name: &'static str,
    value: Option<&str>,
    is_right: impl Fn(&str) -> bool,
    form: &'static str,
) -> Result<(), SettingsError> {
    match value {
        Some(value) if !is_right(value) => {
            let value = value.chars().take(80).filter(|c| !c.is_control()).collect();
            Err(SettingsError::Text { name, value, form })
        }
        _ => Ok(()),
    }
}

/// `P90D`, or a span `P90D/P100D`, either end of which may be open.
fn is_age(text: &str) -> bool {
    match text.split_once('/') {
        Some((from, to)) => [from, to].iter().all(|end| end.is_empty() || is_duration(end)) && text.len() > 1,
        None => is_duration(text),
    }
}

/// A duration of ISO 8601: numbers with units, in their order.
fn is_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P') else { return false };
    let (days, time) = text.split_once('T').map_or((text, None), |(days, time)| (days, Some(time)));
    let parts = time.map_or(Some(0), |time| ordered(time, "HMS").filter(|parts| *parts > 0));
    ordered(days, "YMWD").zip(parts).is_some_and(|(days, time)| days + time > 0)
}

/// How many numbers there are, each with another of the units, in their order; none where it is anything else.
fn ordered(text: &str, units: &str) -> Option<usize> {
    let (mut rest, mut left, mut count) = (text, units, 0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number = &rest[..end];
        let plain = number.split('.').count() <= 2 && number.split('.').all(|part| !part.is_empty());
        let unit = rest[end..].chars().next().filter(char::is_ascii)?;
        left = &left[left.find(unit).filter(|_| plain)? + 1..];
        rest = &rest[end + 1..];
        count += 1;
    }
    Some(count)
}

fn is_species(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let small = |text: &str| text.chars().all(|c| c.is_ascii_lowercase());
    match text.strip_prefix("http://purl.obolibrary.org/obo/NCBITaxon_") {
        Some(number) => digits(number),
        None => text.split_once(' ').is_some_and(|(genus, species)| {
            genus.starts_with(|c: char| c.is_ascii_uppercase()) && small(&genus[1..]) && !species.is_empty() && small(species)
        }),
    }
}

/// A date as TOML has it, or as a text.
fn date<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Date {
        Date(toml::value::Datetime),
        Text(String),
    }
    let text = match Date::deserialize(from)? {
        Date::Date(date) => date.to_string(),
        Date::Text(text) => text,
    };
    let wrong =
        |_| serde::de::Error::custom("`session_start` is not a date with time and offset, such as 2026-05-04T09:30:00+02:00");
    Timestamp::try_from(text).map(Some).map_err(wrong)
}

#[cfg(test)]
#[path = "nwb_tests.rs"]
mod tests;
