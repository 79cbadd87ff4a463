using System.Collections.Generic;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>The request that Invoke-PChatFailover would make with a lab's parameters.</summary>
    internal static class DrillRequest
    {
        /// <summary>The request that Invoke-PChatConferenceRestore would make for the pool that lost its content.</summary>
        internal static Dictionary<string, object> Conference(PChatLab lab, string journal)
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                { "damaged_pool_fqdn", LabTruth.DamagedPool },
                { "pool_fqdn", null },
                { "backup_modules", new string[0] },
                { "after_pool_failback", true },
                { "sync_interval_seconds", null },
                { "backup_service_timeout_seconds", 120 },
                { "path_map", Session.Entries(lab.PathMap, "from", "to") },
                {
                    "journal",
                    new Dictionary<string, object>
                    {
                        { "journal_path", journal }, { "journal_copy_path", null }, { "no_journal_copy", true },
                    }
                },
            };
        }

        internal static Dictionary<string, object> Of(PChatLab lab, string journal, string acceptDataLoss)
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                {
                    "target",
                    new Dictionary<string, object>
                    {
                        { "sql_instance", lab.SqlInstance }, { "database", lab.Database }, { "pool_fqdn", lab.PoolFqdn },
                    }
                },
                {
                    "folders",
                    new Dictionary<string, object>
                    {
                        { "log_backup_share", null },
                        { "copy_folder", null },
                        { "additional_log_backup_folders", new string[0] },
                        { "path_map", Session.Entries(lab.PathMap, "from", "to") },
                    }
                },
                {
                    "journal",
                    new Dictionary<string, object>
                    {
                        { "journal_path", journal }, { "journal_copy_path", null }, { "no_journal_copy", false },
                    }
                },
                { "active_servers", lab.ActiveServer },
                { "mirror_file_share", lab.MirrorFileShare },
                { "primary_sql_instance", lab.PrimarySqlInstance },
                { "primary_mirror_sql_instance", lab.PrimaryMirrorSqlInstance },
                { "backup_mirror_sql_instance", lab.BackupMirrorSqlInstance },
                { "monitor_sql_instance", null },
                { "outage_utc", null },
                { "accept_data_loss", TargetCommand.NullIfEmpty(acceptDataLoss) },
                { "ignore_witness", new string[0] },
                { "mirror_after_active_servers", false },
                { "no_log_backup", false },
                { "log_backup_path", null },
                { "log_backup_interval_minutes", 15 },
                { "max_megabytes_per_second", null },
                { "probe_timeout_seconds", 5 },
                { "pool_timeout_seconds", 120 },
                { "spellings", SwitchCommand.Spellings(null, null) },
            };
        }
    }
}
