//! `--x509-ca FILE`: what the hub says about files it cannot use.

use super::made::{as_is, authority, fixture_path, not_a_ca, not_for_signing, self_signed};
use crate::support::{options, program};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use twinscope::local_hub::x509::Authorities;
use twinscope::local_hub::{FleetChoice, LocalHub};

/// The sentence about a file with this content.
fn complaint(dir: &Path, content: &[u8]) -> String {
    let path = dir.join("ca.pem");
    std::fs::write(&path, content).unwrap();
    let error = Authorities::read(std::slice::from_ref(&path)).unwrap_err();
    assert_eq!(error.path, path);
    let text = error.to_string();
    text.strip_prefix(&format!("cannot use the authorities in {}: ", path.display())).unwrap().to_owned()
}

#[test]
fn each_problem_is_named() {
    let dir = TempDir::new().unwrap();
    let good = authority("Good", as_is).pem;
    let key = self_signed("d", as_is).key_pem;
    let device = authority("Good", as_is).sign("some-device", as_is).pem();
    let v1 = std::fs::read(fixture_path("v1-rsa.pem")).unwrap();
    let cases: [(&[u8], &str); 9] = [
        (b"", "holds no certificate"),
        (b"hello", "holds no certificate"),
        (key.as_bytes(), "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n", "not PEM"),
        (b"-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n", "certificate 1 in it cannot be read"),
        (device.as_bytes(), "certificate 1 in it (CN=some-device) is no CA"),
        (
            format!("{good}{}", authority("Bad", not_a_ca).pem).leak().as_bytes(),
            "certificate 2 in it (CN=Bad) is no CA",
        ),
        (authority("Bad", not_for_signing).pem.leak().as_bytes(), "is no CA"),
        (&v1, "certificate 1 in it (CN=v1-rsa) is no CA"),
    ];
    for (content, wanted) in cases {
        let complaint = complaint(dir.path(), content);
        assert!(complaint.contains(wanted), "{complaint}");
    }
    let large = vec![b'\n'; (1 << 20) + 1];
    assert!(complaint(dir.path(), &large).contains("longer than 1 MB"));
    let missing = dir.path().join("missing.pem");
    let error = Authorities::read(std::slice::from_ref(&missing)).unwrap_err().to_string();
    assert!(error.contains("missing.pem") && error.contains("No such file"), "{error}");
    assert!(Authorities::read(&[dir.path().to_owned()]).is_err());
}

#[tokio::test]
async fn a_hub_does_not_start_without_its_authorities() {
    let dir = TempDir::new().unwrap();
    let mut options = options(dir.path(), FleetChoice::Empty);
    options.tuning.x509_ca = vec![dir.path().join("missing.pem")];
    let error = LocalHub::start(options).await.err().unwrap().to_string();
    assert!(error.contains("missing.pem"), "{error}");
}

#[test]
fn the_command_says_so_too() {
    let dir = TempDir::new().unwrap();
    let run = |file: &Path| {
        let mut command = Command::new(program());
        command
            .args(["hub", "--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0", "--data"])
            .arg(dir.path().join("data"));
        command.arg("--x509-ca").arg(fixture_path("authority.pem")).arg("--x509-ca").arg(file);
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (success, words) = run(&fixture_path("v1-rsa.pem"));
    assert!(!success && words.contains("v1-rsa.pem") && words.contains("is no CA"), "{words}");
    let help = Command::new(program()).args(["hub", "--help"]).output().unwrap();
    assert!(String::from_utf8(help.stdout).unwrap().contains("--x509-ca <FILE>"));
}
