//! The result sets of HEADERONLY, FILELISTONLY and LABELONLY, with the columns of the reading server's version.

use super::backup_file::{MediaHeader, SetHeader};
use super::catalog::columns::*;
use super::connection::Connection;
use super::devices::OpenDevice;
use super::execute::Halt;
use super::lsn::Lsn;
use super::model::Version;
use lab_tsql::ast::RestoreKind;
use lab_tsql::{ColumnDef, ResultSet, Value};

/// The result set that `kind` shows of the devices.
///
/// # Errors
/// 4038 when there is no set at `position`.
pub fn show(
    connection: &Connection,
    kind: RestoreKind,
    devices: &[OpenDevice],
    position: Option<i64>,
) -> Result<ResultSet, Halt> {
    let version = connection.engine.world().instances[connection.instance].version;
    let Some(device) = devices.first() else { return Ok(ResultSet::default()) };
    match kind {
        RestoreKind::HeaderOnly => {
            let sets: Vec<SetHeader> = match position {
                Some(position) => {
                    let whole = device.contents.sets.iter().find(|s| i64::from(s.header.position) == position);
                    match whole {
                        Some(found) => vec![found.header.clone()],
                        None => connection.pick_set(devices, position)?.into_iter().map(|s| s.header).collect(),
                    }
                }
                None => device.contents.sets.iter().map(|s| s.header.clone()).collect(),
            };
            Ok(header_only(&sets, &device.contents.media, version))
        }
        RestoreKind::FileListOnly => {
            let set = connection.pick_set(&devices[..1.min(devices.len())], position.unwrap_or(1));
            let header = match set {
                Ok(sets) => sets.into_iter().next().map(|s| s.header),
                // The list of a striped set can be read from any of its files.
                Err(error) if error.number == 3132 => device.contents.sets.first().map(|s| s.header.clone()),
                Err(error) => return Err(Halt::one(error)),
            };
            Ok(header.map_or_else(ResultSet::default, |h| file_list(&h, version)))
        }
        _ => Ok(label(&device.contents.media)),
    }
}

type Cells = Vec<(ColumnDef, Value)>;

fn result(rows: Vec<Cells>, empty: Cells) -> ResultSet {
    let columns = rows.first().unwrap_or(&empty).iter().map(|(c, _)| c.clone()).collect();
    let rows = rows.into_iter().map(|r| r.into_iter().map(|(_, v)| v).collect()).collect();
    ResultSet { columns, rows, returns_rows: true }
}

fn header_only(sets: &[SetHeader], media: &MediaHeader, version: Version) -> ResultSet {
    result(sets.iter().map(|s| header_cells(s, media, version)).collect(), Vec::new())
}

fn header_cells(h: &SetHeader, media: &MediaHeader, version: Version) -> Cells {
    let lsn = |name: &str, lsn: Lsn| (null(name, LSN), Value::lsn(lsn.0));
    let kind = if h.backup_type == 2 { "TRANSACTION LOG" } else { "DATABASE" };
    let mut cells = vec![
        (null("BackupName", nv(128)), opt_text(&h.name)),
        (null("BackupDescription", nv(255)), opt_text(&h.description)),
        (null("BackupType", SMALLINT), Value::SmallInt(h.backup_type)),
        (null("ExpirationDate", DATETIME), Value::Null),
        // Old servers declare this one as tinyint.
        (null("Compressed", BIT), Value::Bit(h.compressed || media.compressed)),
        (null("Position", SMALLINT), Value::SmallInt(h.position)),
        (null("DeviceType", TINYINT), Value::TinyInt(2)),
        (null("UserName", nv(128)), text(&h.user)),
        (null("ServerName", nv(128)), text(&h.server)),
        (null("DatabaseName", nv(128)), text(&h.database)),
        (null("DatabaseVersion", INT), Value::Int(h.internal_version)),
        (null("DatabaseCreationDate", DATETIME), date(h.created)),
        (null("BackupSize", numeric(20)), Value::lsn(h.backup_size.into())),
        lsn("FirstLSN", h.first_lsn),
        lsn("LastLSN", h.last_lsn),
        lsn("CheckpointLSN", h.checkpoint_lsn),
        lsn("DatabaseBackupLSN", h.database_backup_lsn),
        (null("BackupStartDate", DATETIME), date(h.started)),
        (null("BackupFinishDate", DATETIME), date(h.finished)),
        (null("SortOrder", SMALLINT), Value::SmallInt(52)),
        (null("CodePage", SMALLINT), Value::SmallInt(0)),
        (null("UnicodeLocaleId", INT), Value::Int(1033)),
        (null("UnicodeComparisonStyle", INT), Value::Int(196_609)),
        (null("CompatibilityLevel", TINYINT), Value::TinyInt(h.compatibility)),
        (null("SoftwareVendorId", INT), Value::Int(4608)),
        (null("SoftwareVersionMajor", INT), Value::Int(h.version.0)),
        (null("SoftwareVersionMinor", INT), Value::Int(h.version.1)),
        (null("SoftwareVersionBuild", INT), Value::Int(h.version.2)),
        (null("MachineName", nv(128)), text(&h.machine)),
        (null("Flags", INT), Value::Int(h.flags)),
        (null("BindingID", GUID), Value::Uuid(h.binding)),
        (null("RecoveryForkID", GUID), Value::Uuid(h.last_fork)),
        (null("Collation", nv(128)), text(&h.collation)),
        (null("FamilyGUID", GUID), Value::Uuid(h.family)),
        (null("HasBulkLoggedData", BIT), Value::Bit(false)),
        (null("IsSnapshot", BIT), Value::Bit(false)),
        (null("IsReadOnly", BIT), Value::Bit(h.read_only)),
        (null("IsSingleUser", BIT), Value::Bit(h.single_user)),
        (null("HasBackupChecksums", BIT), Value::Bit(h.checksums)),
        (null("IsDamaged", BIT), Value::Bit(h.damaged)),
        (null("BeginsLogChain", BIT), Value::Bit(h.begins_chain)),
        (null("HasIncompleteMetaData", BIT), Value::Bit(h.incomplete_metadata)),
        (null("IsForceOffline", BIT), Value::Bit(h.force_offline)),
        (null("IsCopyOnly", BIT), Value::Bit(h.copy_only)),
        (null("FirstRecoveryForkID", GUID), Value::Uuid(h.first_fork)),
        (null("ForkPointLSN", LSN), Value::optional(h.fork_point, |l| Value::lsn(l.0))),
        (null("RecoveryModel", nv(60)), text(&h.recovery_model)),
        (null("DifferentialBaseLSN", LSN), Value::optional(h.differential_base, |d| Value::lsn(d.0 .0))),
        (null("DifferentialBaseGUID", GUID), Value::optional(h.differential_base, |d| Value::Uuid(d.1))),
        (null("BackupTypeDescription", nv(60)), text(kind)),
        (null("BackupSetGUID", GUID), Value::Uuid(h.set_guid)),
        (null("CompressedBackupSize", BIGINT), Value::BigInt(h.backup_size)),
    ];
    if version.major >= 11 {
        cells.push((not_null("containment", TINYINT), Value::TinyInt(0)));
    }
    if version.major >= 13 || (version.major == 12 && version.build >= 2342) {
        cells.push((null("KeyAlgorithm", nv(32)), Value::Null));
        cells.push((null("EncryptorThumbprint", vb(20)), Value::Null));
        cells.push((null("EncryptorType", nv(32)), Value::Null));
    }
    if version.major >= 16 {
        cells.push((null("LastValidRestoreTime", DATETIME), date(h.finished)));
        cells.push((null("TimeZone", nv(32)), text("4")));
        cells.push((null("CompressionAlgorithm", nv(32)), Value::Null));
    }
    cells
}

fn file_list(h: &SetHeader, version: Version) -> ResultSet {
    let rows = h
        .files
        .iter()
        .map(|f| {
            let mut cells = vec![
                (null("LogicalName", nv(128)), text(&f.logical)),
                (null("PhysicalName", nv(260)), text(&f.physical)),
                (null("Type", ch(1)), text(if f.is_log { "L" } else { "D" })),
                (null("FileGroupName", nv(128)), if f.is_log { Value::Null } else { text("PRIMARY") }),
                (null("Size", numeric(20)), Value::lsn(f.size_bytes.into())),
                (null("MaxSize", numeric(20)), Value::lsn(35_184_372_080_640)),
                (null("FileId", BIGINT), Value::BigInt(f.id.into())),
                (null("CreateLSN", LSN), Value::lsn(0)),
                (null("DropLSN", LSN), Value::lsn(0)),
                (null("UniqueId", GUID), Value::Uuid(f.guid)),
                (null("ReadOnlyLSN", LSN), Value::lsn(0)),
                (null("ReadWriteLSN", LSN), Value::lsn(0)),
                (null("BackupSizeInBytes", BIGINT), Value::BigInt(if f.is_log { 0 } else { h.backup_size })),
                (null("SourceBlockSize", INT), Value::Int(512)),
                (null("FileGroupId", INT), Value::Int(i32::from(!f.is_log))),
                (null("LogGroupGUID", GUID), Value::Null),
                (null("DifferentialBaseLSN", LSN), Value::lsn(h.database_backup_lsn.0)),
                (null("DifferentialBaseGUID", GUID), Value::Uuid(h.set_guid)),
                (null("IsReadOnly", BIT), Value::Bit(false)),
                (null("IsPresent", BIT), Value::Bit(true)),
                (null("TDEThumbprint", vb(32)), Value::Null),
            ];
            if version.major >= 13 {
                cells.push((null("SnapshotUrl", nv(360)), Value::Null));
            }
            cells
        })
        .collect();
    result(rows, Vec::new())
}

fn label(media: &MediaHeader) -> ResultSet {
    let cells = vec![
        (null("MediaName", nv(128)), opt_text(&media.media_name)),
        (null("MediaSetId", GUID), Value::Uuid(media.media_set)),
        (null("FamilyCount", INT), Value::Int(media.family_count as i32)),
        (null("FamilySequenceNumber", INT), Value::Int(media.family_sequence as i32)),
        (null("MediaFamilyId", GUID), Value::Uuid(media.family)),
        (null("MediaSequenceNumber", INT), Value::Int(1)),
        (null("MediaLabelPresent", TINYINT), Value::TinyInt(0)),
        (null("MediaDescription", nv(255)), Value::Null),
        (null("SoftwareName", nv(128)), text("Microsoft SQL Server")),
        (null("SoftwareVendorId", INT), Value::Int(4608)),
        (null("MediaDate", DATETIME), date(media.date)),
        (null("Mirror_Count", INT), Value::Int(1)),
        (null("IsCompressed", BIT), Value::Bit(media.compressed)),
    ];
    result(vec![cells], Vec::new())
}
