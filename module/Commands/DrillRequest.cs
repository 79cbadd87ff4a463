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
                { "comparison_timeout_seconds", 60 },
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
                { "target", Target(lab) },
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
                { "journal", Journal(journal) },
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

        /// <summary>The request that Invoke-PChatFailover -Planned would make; the journal's second copy lies beside the baseline.</summary>
        internal static Dictionary<string, object> Planned(PChatLab lab, string journal, string baseline)
        {
            var options = new PlannedSwitchOptions
            {
                DrainTimeoutSeconds = 120,
                ServiceTimeoutSeconds = 120,
                BaselinePath = baseline,
            };
            return FailoverCommand.PlannedSwitch(Of(lab, journal, null), options);
        }

        /// <summary>The request that Invoke-PChatFailback would make: what the baseline holds is left out.</summary>
        internal static Dictionary<string, object> Failback(PChatLab lab, string journal, string baseline)
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                { "target", Target(lab) },
                { "backup_mirror_sql_instance", lab.BackupMirrorSqlInstance },
                { "primary_sql_instance", lab.PrimarySqlInstance },
                { "primary_mirror_sql_instance", lab.PrimaryMirrorSqlInstance },
                { "active_servers", new string[0] },
                { "log_backup_share", null },
                { "mirror_file_share", lab.MirrorFileShare },
                { "baseline_path", baseline },
                { "baseline", null },
                { "path_map", Session.Entries(lab.PathMap, "from", "to") },
                { "journal", Journal(journal) },
                { "documented", false },
                { "recover_and_save", new string[0] },
                { "compliance_drained", false },
                { "drain_timeout_seconds", 120 },
                { "service_timeout_seconds", 120 },
                { "pool_timeout_seconds", 120 },
                { "spellings", SwitchCommand.Spellings(null, null) },
            };
        }

        /// <summary>The request that Save-PChatBaseline would make.</summary>
        internal static Dictionary<string, object> SaveBaseline(PChatLab lab, string folder)
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                { "target", Target(lab) },
                { "primary_sql_instance", lab.PrimarySqlInstance },
                { "primary_mirror_sql_instance", lab.PrimaryMirrorSqlInstance },
                { "backup_mirror_sql_instance", lab.BackupMirrorSqlInstance },
                { "compliance_database", "mgccomp" },
                { "folder", folder },
                { "keep", 10 },
            };
        }

        private static Dictionary<string, object> Target(PChatLab lab)
        {
            return new Dictionary<string, object>
            {
                { "sql_instance", lab.SqlInstance }, { "database", lab.Database }, { "pool_fqdn", lab.PoolFqdn },
            };
        }

        private static Dictionary<string, object> Journal(string folder)
        {
            return new Dictionary<string, object>
            {
                { "journal_path", folder }, { "journal_copy_path", null }, { "no_journal_copy", false },
            };
        }
    }
}
