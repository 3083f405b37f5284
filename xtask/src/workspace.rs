//! The workspace as `cargo metadata` describes it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::commands;

/// Where things are, and which crates there are.
pub(crate) struct Workspace {
    /// The folder of the workspace's manifest.
    pub(crate) root: PathBuf,
    /// Where builds go.
    pub(crate) target: PathBuf,
    /// Every member.
    pub(crate) packages: Vec<Package>,
}

/// One member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its name, as a manifest writes it.
    pub(crate) name: String,
    /// Its folder below the root, with `/` between the parts.
    pub(crate) folder: String,
    /// What it declares to depend on.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a manifest's dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The other crate's name.
    pub(crate) name: String,
    /// Whether it is a member of the workspace.
    pub(crate) local: bool,
    /// Whether only tests and benchmarks use it.
    pub(crate) for_tests: bool,
}

impl Workspace {
    /// Asks cargo about the workspace around the working directory.
    ///
    /// # Errors
    ///
    /// When cargo cannot read it; carries cargo's own words.
    pub(crate) fn read() -> Result<Self> {
        let mut cargo = commands::cargo(Path::new("."));
        let text = commands::read(cargo.args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
        Self::from_metadata(&metadata)
    }

    fn from_metadata(metadata: &Value) -> Result<Self> {
        let root = PathBuf::from(text(metadata, "workspace_root")?);
        let target = PathBuf::from(text(metadata, "target_directory")?);
        let packages = list(metadata, "packages")
            .map(|package| Package::parse(package, &root))
            .collect::<Result<_>>()?;
        Ok(Self { root, target, packages })
    }

    /// A `cargo` in this workspace.
    pub(crate) fn cargo(&self) -> std::process::Command {
        commands::cargo(&self.root)
    }
}

impl Package {
    fn parse(package: &Value, root: &Path) -> Result<Self> {
        let manifest = Path::new(text(package, "manifest_path")?);
        let folder = manifest
            .parent()
            .and_then(|folder| folder.strip_prefix(root).ok())
            .context("a crate is elsewhere")?;
        let dependencies = list(package, "dependencies").map(Dependency::parse).collect::<Result<_>>()?;
        Ok(Self {
            name: text(package, "name")?.to_owned(),
            folder: folder.to_string_lossy().replace('\\', "/"),
            dependencies,
        })
    }
}

impl Dependency {
    fn parse(dependency: &Value) -> Result<Self> {
        Ok(Self {
            name: text(dependency, "name")?.to_owned(),
            local: dependency.get("path").is_some(),
            for_tests: dependency.get("kind").and_then(Value::as_str) == Some("dev"),
        })
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("cargo metadata has no text `{key}`"))
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_is_read() {
        let workspace = Workspace::from_metadata(&json!({
            "workspace_root": "/w", "target_directory": "/w/target",
            "packages": [{
                "name": "turn", "manifest_path": "/w/shared/turn/Cargo.toml",
                "dependencies": [
                    { "name": "chat", "kind": null, "path": "/w/shared/chat" },
                    { "name": "insta", "kind": "dev" },
                ],
            }],
        }))
        .unwrap();
        let dependency =
            |name: &str, local, for_tests| Dependency { name: name.to_owned(), local, for_tests };
        assert_eq!(
            workspace.packages,
            [Package {
                name: "turn".to_owned(),
                folder: "shared/turn".to_owned(),
                dependencies: vec![dependency("chat", true, false), dependency("insta", false, true)],
            }],
        );
        assert!(Workspace::from_metadata(&json!({})).is_err());
    }
}
