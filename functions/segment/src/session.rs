//! What the NWB file is told of the experiment: the settings, and in words what nobody stated.

use crate::report::Told;
use dropscope_outputs::{Session, Subject};
use dropscope_pipeline::Nwb;

/// Everything that is known of the experiment behind a run.
pub(crate) fn session(told: &Told<'_>) -> Session {
    let nwb = &told.provenance.plan.nwb;
    let start = nwb.start(told.came);
    let subject = &nwb.subject;
    Session {
        identifier: told.run.to_string(),
        start: start.value.to_string(),
        description: description(told, nwb, start.assumed()),
        id: nwb.session_id.clone(),
        experiment: nwb.experiment_description.clone(),
        experimenters: nwb.experimenters.clone(),
        institution: nwb.institution.clone(),
        lab: nwb.lab.clone(),
        keywords: nwb.keywords.clone(),
        subject: (!subject.is_empty()).then(|| Subject {
            id: subject.id.clone(),
            species: subject.species.clone(),
            sex: subject.sex.clone(),
            age: subject.age.clone(),
            genotype: subject.genotype.clone(),
            strain: subject.strain.clone(),
            description: subject.description.clone(),
        }),
        device: nwb.device.clone(),
        device_description: nwb.device_description.clone(),
        location: nwb.location.clone(),
        indicator: nwb.indicator.clone(),
        excitation_nm: nwb.excitation_nm,
        emission_nm: nwb.emission_nm,
    }
}

/// What was done in the session, and which of the facts that NWB wants are not stated.
fn description(told: &Told<'_>, nwb: &Nwb, start_is_assumed: bool) -> String {
    let mut words = nwb.session_description.clone().unwrap_or_else(|| format!("Calcium imaging: the recording {}.", told.name));
    if start_is_assumed {
        words += " When the session began is not stated: the time given is that at which the recording came.";
    }
    let missing: Vec<&str> = [
        ("indicator", nwb.indicator.is_none()),
        ("location", nwb.location.is_none()),
        ("excitation_nm", nwb.excitation_nm.is_none()),
        ("emission_nm", nwb.emission_nm.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, is_missing)| is_missing.then_some(name))
    .collect();
    if !missing.is_empty() {
        words += &format!(" Not stated, and so unknown or not a number here: {}.", missing.join(", "));
    }
    if start_is_assumed || !missing.is_empty() {
        words += " The table nwb of dropscope.toml states such facts.";
    }
    words
}
