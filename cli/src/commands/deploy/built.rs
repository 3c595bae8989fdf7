//! What `sam build` would leave, made of programs that are built already.

use crate::failure::Failure;
use crate::text::shown_path;
use std::fs;
use std::io;
use std::path::Path;

/// Where `sam deploy` looks for what was built.
const BUILT: &str = ".aws-sam/build";
/// How the template says which folder a function is built from.
const CODE: &str = "CodeUri: ./functions/";

/// Puts the programs of `folder` (`dropscope-validate`, `dropscope-gif` …) where `sam deploy` takes them from.
pub(super) fn assemble(source: &Path, template: &str, folder: &Path) -> Result<(), Failure> {
    let (template, functions) = built(template);
    let target = source.join(BUILT);
    let unwritable =
        |error: io::Error| Failure::failed(&error, format!("make room for {}, and let it be written", shown_path(&target)));
    for (id, name) in &functions {
        let program = folder.join(format!("dropscope-{name}"));
        if !program.is_file() {
            let cause = format!("{} is missing", shown_path(&program));
            return Err(Failure::input(cause, "name the folder of all functions' programs with --programs, or leave it out"));
        }
        fs::create_dir_all(target.join(id)).map_err(unwritable)?;
        fs::copy(&program, target.join(id).join("bootstrap")).map_err(unwritable)?;
    }
    fs::write(target.join("template.yaml"), template).map_err(unwritable)
}

/// The template as it stands beside what was built, and each function's id with its name.
fn built(template: &str) -> (String, Vec<(String, String)>) {
    let (mut lines, mut functions, mut resource) = (Vec::new(), Vec::new(), "");
    for line in template.lines() {
        if let Some(id) = line.strip_prefix("  ").and_then(|rest| rest.strip_suffix(':')).filter(|id| !id.starts_with(' ')) {
            resource = id;
        }
        match line.trim_start().strip_prefix(CODE) {
            Some(name) => {
                functions.push((resource.to_owned(), name.to_owned()));
                let indent = &line[..line.len() - line.trim_start().len()];
                lines.push(format!("{indent}CodeUri: {resource}"));
            }
            None => lines.push(line.to_owned()),
        }
    }
    (lines.join("\n") + "\n", functions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")).unwrap()
    }

    #[test]
    fn every_function_of_the_template_is_deployed_from_its_own_folder() {
        let (built, functions) = built(&template());
        assert_eq!(functions.len(), template().matches("Type: AWS::Serverless::Function").count());
        for (id, name) in &functions {
            let folder = id.strip_suffix("Function").unwrap();
            assert_eq!(folder.to_lowercase(), name.replace('-', ""));
            assert!(built.contains(&format!("      CodeUri: {id}\n")), "{id}");
        }
        assert!(!built.contains(CODE));
    }

    #[test]
    fn nothing_but_the_code_s_places_changes() {
        let (template, (built, _)) = (template(), built(&template()));
        let differing = template.lines().zip(built.lines()).filter(|(a, b)| a != b);
        assert!(differing.clone().count() > 0 && differing.clone().all(|(line, _)| line.trim_start().starts_with(CODE)));
        assert_eq!(template.lines().count(), built.lines().count());
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = assemble(dir.path(), &template(), dir.path()).unwrap_err().to_string();
        assert!(error.contains("dropscope-validate is missing"), "{error}");
    }
}
