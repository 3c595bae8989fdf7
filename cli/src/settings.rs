//! Settings for a recording on disk: the command line over the nearest dropscope.toml.

use crate::args::SettingArgs;
use crate::failure::Failure;
use dropscope_pipeline::Settings;
use std::io::ErrorKind;
use std::path::Path;

/// What the command line says.
pub(crate) fn from_args(args: &SettingArgs) -> Result<Settings, Failure> {
    let settings = Settings {
        frame_rate_hz: args.fs,
        tau_s: args.tau,
        rise_s: args.rise,
        indicator: args.indicator,
        planes: args.planes,
        channels: args.channels,
        diameter_px: args.diameter,
        pixel_size_um: args.pixel_size,
        clusters: args.clusters,
        cluster_by: args.cluster_by,
        seed: args.seed,
        registered_movie: args.registered_movie,
        // Too much for a command line.
        ..Settings::default()
    };
    settings.check().map_err(|error| Failure::input(error.to_string(), "correct it on the command line"))?;
    Ok(settings)
}

/// What was said where something was, else what the `dropscope.toml` in `folder` or in the nearest folder above it says.
pub(crate) fn over_nearest(said: Settings, folder: Option<&Path>) -> Result<Settings, Failure> {
    for folder in folder.into_iter().flat_map(Path::ancestors) {
        let file = folder.join("dropscope.toml");
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                let below = Settings::from_toml(&text).map_err(|error| {
                    Failure::input(
                        format!("the settings in {} cannot be used: {error}", file.display()),
                        "correct or remove that file",
                    )
                })?;
                return Ok(said.over(&below));
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory) => {}
            // Settings that are there and cannot be read would change the result if they could.
            Err(error) => {
                return Err(Failure::input(
                    format!("the settings in {} cannot be read, {error}", file.display()),
                    "correct or remove that file",
                ));
            }
        }
    }
    Ok(said)
}
