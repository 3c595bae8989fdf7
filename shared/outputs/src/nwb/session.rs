//! What only people know of a recording, or its file: the metadata of an NWB file.

/// Facts about the experiment behind a recording. What is none, or empty, nobody stated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Session {
    /// Identifies the file among all others: the run.
    pub identifier: String,
    /// When the session began, ISO 8601 with its offset.
    pub start: String,
    /// What was done, and what is assumed of it.
    pub description: String,
    /// The lab's own name of the session.
    pub id: Option<String>,
    /// What the experiment was for.
    pub experiment: Option<String>,
    /// Who did it, as `Last, First`.
    pub experimenters: Vec<String>,
    /// Institution.
    pub institution: Option<String>,
    /// Lab.
    pub lab: Option<String>,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// The animal.
    pub subject: Option<Subject>,
    /// Name of the microscope.
    pub device: Option<String>,
    /// What the microscope is.
    pub device_description: Option<String>,
    /// Where in the brain the planes lie.
    pub location: Option<String>,
    /// Indicator.
    pub indicator: Option<String>,
    /// Wavelength of the excitation, nm.
    pub excitation_nm: Option<f64>,
    /// Wavelength of the emission, nm.
    pub emission_nm: Option<f64>,
}

/// The animal that was imaged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subject {
    /// The lab's name of it.
    pub id: Option<String>,
    /// Species in Latin, such as `Danio rerio`.
    pub species: Option<String>,
    /// `M`, `F`, `O` (other) or `U` (unknown); of nematodes `XX` or `XO`.
    pub sex: Option<String>,
    /// Age as a duration of ISO 8601, such as `P90D`.
    pub age: Option<String>,
    /// Genotype.
    pub genotype: Option<String>,
    /// Strain.
    pub strain: Option<String>,
    /// Anything else.
    pub description: Option<String>,
}
