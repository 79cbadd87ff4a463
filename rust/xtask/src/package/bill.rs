//! The software bill of materials, as CycloneDX 1.5.

use serde_json::{json, Value};

use super::contents::{sha256, MODULE};
use super::crates::Crate;
use super::licences::beside_crates;
use super::Platform;

/// The document. It holds no time, and its serial number follows from its content: the same parts give the same bytes.
pub fn text(crates: &[Crate], platforms: &[Platform]) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut components: Vec<Value> = crates.iter().filter(|one| !one.is_ours()).map(component).collect();
    components.extend(beside_crates(platforms).into_iter().map(|(name, version, licence, home)| {
        json!({
            "type": "library",
            "bom-ref": format!("{name}, {version}"),
            "name": name,
            "version": version,
            "licenses": licences(licence),
            "externalReferences": [{"type": "website", "url": home}],
        })
    }));
    let root = format!("{MODULE}@{version}");
    let parts: Vec<&Value> = components.iter().map(|component| &component["bom-ref"]).collect();
    let depends = json!([{"ref": root, "dependsOn": parts}]);
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": "",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": MODULE,
                "version": version,
                "licenses": licences("MIT"),
            },
            "properties": platforms
                .iter()
                .map(|p| json!({"name": format!("pchat:{}", p.folder), "value": format!("{} with {}", p.target, p.compiler)}))
                .collect::<Vec<_>>(),
        },
        "components": components,
        "dependencies": depends,
    });
    document["serialNumber"] = json!(serial_number(&document.to_string()));
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn component(one: &Crate) -> Value {
    let url = format!("pkg:cargo/{}@{}", one.name, one.version);
    let mut out = json!({
        "type": "library",
        "bom-ref": url,
        "name": one.name,
        "version": one.version,
        "purl": url,
        "licenses": licences(&one.licence),
        "properties": one.platforms.iter().map(|p| json!({"name": "pchat:platform", "value": p})).collect::<Vec<_>>(),
    });
    if !one.checksum.is_empty() {
        out["hashes"] = json!([{"alg": "SHA-256", "content": one.checksum}]);
    }
    if !one.authors.is_empty() {
        out["author"] = json!(one.authors.join(", "));
    }
    if !one.repository.is_empty() {
        out["externalReferences"] = json!([{"type": "vcs", "url": one.repository}]);
    }
    out
}

/// One id stands as such; a choice or a sum is an expression.
fn licences(expression: &str) -> Value {
    if expression.contains(' ') {
        json!([{"expression": expression}])
    } else {
        json!([{"license": {"id": expression}}])
    }
}

/// A UUID (version 8: of the maker's own making) from a digest.
fn serial_number(content: &str) -> String {
    let mut hex: Vec<u8> = sha256(content.as_bytes()).into_bytes();
    hex[12] = b'8';
    hex[16] = b'8';
    let hex = String::from_utf8_lossy(&hex).into_owned();
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_has_what_a_scanner_asks_for() {
        let one = Crate {
            name: "ring".into(),
            version: "0.17.14".into(),
            licence: "Apache-2.0 AND ISC".into(),
            checksum: "ab".repeat(32),
            ..Crate::default()
        };
        let document: Value = serde_json::from_str(&text(&[one], &[])).unwrap();
        assert_eq!(document["bomFormat"], "CycloneDX");
        let ring = &document["components"][0];
        assert_eq!(ring["purl"], "pkg:cargo/ring@0.17.14");
        assert_eq!(ring["licenses"][0]["expression"], "Apache-2.0 AND ISC");
        assert_eq!(ring["hashes"][0]["content"], "ab".repeat(32));
        assert_eq!(document["dependencies"][0]["dependsOn"][0], ring["bom-ref"]);
        let serial = document["serialNumber"].as_str().unwrap();
        assert_eq!(serial.len(), "urn:uuid:".len() + 36);
        assert_eq!(text(&[], &[]), text(&[], &[]));
        assert_ne!(serde_json::from_str::<Value>(&text(&[], &[])).unwrap()["serialNumber"], serial);
    }
}
