//! The proof that a folder here is the server's.

use pchat_core::files::{prove_folder, LocalFileSystem};
use pchat_core::names::{ClientPath, ServerPath};
use pchat_core::sql::Purpose;

use crate::server::{instance, Ground};

#[tokio::test]
async fn only_the_folder_that_the_server_sees_is_proved() {
    let disks = tempfile::tempdir().unwrap();
    let [right, wrong] = ["right", "wrong"].map(|name| disks.path().join(name));
    for folder in [&right, &wrong] {
        std::fs::create_dir(folder).unwrap();
    }
    let ground = Ground::start().await;
    ground.script.state().folder = Some(right.clone());
    let connector = ground.connector(|_| {});
    let mut connection = connector.connect(&instance(), Purpose::Files).await.unwrap();
    let server = ServerPath::new("E:\\LSCopy");
    let [right, wrong, gone] = [right, wrong, disks.path().join("gone")].map(ClientPath::new);

    let only_wrong = [gone.clone(), wrong.clone()];
    assert_eq!(prove_folder(&LocalFileSystem, &mut connection, &server, &only_wrong).await.unwrap(), None);
    let proved =
        prove_folder(&LocalFileSystem, &mut connection, &server, &[gone, wrong.clone(), right.clone()]).await.unwrap();
    let proved = proved.unwrap();
    assert_eq!((proved.client, proved.marker_left), (right.clone(), None));
    for folder in [right, wrong] {
        assert_eq!(std::fs::read_dir(folder.as_path()).unwrap().count(), 0, "no marker is left");
    }
}
