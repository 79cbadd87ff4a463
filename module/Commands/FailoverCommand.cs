using System;
using System.Collections.Generic;
using System.Globalization;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>What the readiness test, the plan and the failover share: the same parameters make the same request.</summary>
    public abstract class FailoverCommand : SwitchCommand
    {
        /// <summary>The share of the log backups, instead of the one that log shipping's record names.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string LogBackupShare { get; set; }

        /// <summary>The copy folder as the instance names it, instead of the record's.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string CopyFolder { get; set; }

        /// <summary>Further folders that may hold log backups, as the instance names them.</summary>
        [Parameter]
        public string[] AdditionalLogBackupFolder { get; set; }

        /// <summary>When the primary was lost, as far as it is known; only for stating the loss.</summary>
        [Parameter]
        public DateTime? OutageTime { get; set; }

        /// <summary>The loss that is accepted: the LSN or the time that the refusal shows.</summary>
        [Parameter]
        public string AcceptDataLoss { get; set; }

        /// <summary>Witnesses against the primary's death that are overruled, by the names that the check shows.</summary>
        [Parameter]
        public string[] IgnoreWitness { get; set; }

        /// <summary>Sets the mirror up behind the active servers, for large databases.</summary>
        [Parameter]
        public SwitchParameter MirrorAfterActiveServers { get; set; }

        /// <summary>Declines the log backup job: the log of mgc then grows until it is full.</summary>
        [Parameter]
        public SwitchParameter NoLogBackup { get; set; }

        /// <summary>Where log backups go from now on; the instance's backup folder without it.</summary>
        [Parameter]
        public string LogBackupPath { get; set; }

        /// <summary>How often they are taken, in minutes.</summary>
        [Parameter]
        [ValidateRange(1, 1440)]
        public int LogBackupIntervalMinutes { get; set; }

        /// <summary>The rate of copying, in MiB a second; unlimited without it.</summary>
        [Parameter]
        [ValidateRange(1, 100000)]
        public int? MaxMegabytesPerSecond { get; set; }

        /// <summary>How long an endpoint may stay silent before it counts as unreachable, in seconds.</summary>
        [Parameter]
        [ValidateRange(1, 300)]
        public int ProbeTimeoutSeconds { get; set; }

        protected FailoverCommand()
        {
            LogBackupIntervalMinutes = 15;
            ProbeTimeoutSeconds = 5;
        }

        /// <summary>Asks what the pool's own object tells: databases, mirrors, servers.</summary>
        internal Work FindPool(PSObject service)
        {
            return new Work("pchat_pool_find", new Dictionary<string, object> { { "version", 1 }, { "service", NativeObject.Whole(service) } });
        }

        /// <summary>Takes what was found where no parameter was given. Gives the instance acted on.</summary>
        internal string Take(PoolTopology pool)
        {
            var given = MyInvocation.BoundParameters;
            PoolFqdn = pool.PoolFqdn;
            PrimarySqlInstance = given.ContainsKey("PrimarySqlInstance") ? PrimarySqlInstance : pool.PrimarySqlInstance;
            PrimaryMirrorSqlInstance = given.ContainsKey("PrimaryMirrorSqlInstance") ? PrimaryMirrorSqlInstance : pool.PrimaryMirrorSqlInstance;
            BackupMirrorSqlInstance = given.ContainsKey("BackupMirrorSqlInstance") ? BackupMirrorSqlInstance : pool.BackupMirrorSqlInstance;
            ActiveServer = given.ContainsKey("ActiveServer") ? ActiveServer : pool.ActiveServers;
            // The logins of the other instances go by their names.
            CloseSession();
            return pool.SqlInstance;
        }

        /// <summary>
        /// Acts on each instance, or on the one that a pool's own object names; an error is about that object alone.
        /// </summary>
        internal void OnEach(PSObject service, string[] instances, Action<string> act)
        {
            foreach (string instance in service == null ? instances : Found(service))
            {
                try
                {
                    act(instance);
                }
                catch (PChatException e)
                {
                    WriteError(e.ToErrorRecord(instance));
                }
            }
        }

        private IEnumerable<string> Found(PSObject service)
        {
            try
            {
                Work work = FindPool(service);
                Ended found = Read(work.Export, work.Request, service, null);
                return found == null ? new string[0] : new[] { Take(found.As<PoolTopology>()) };
            }
            catch (PChatException e)
            {
                WriteError(e.ToErrorRecord(service));
                return new string[0];
            }
        }

        /// <summary>The request of a planned switch: that of a failover, and what belongs to services and compliance.</summary>
        internal Dictionary<string, object> PlannedSwitchRequest(string instance, PlannedSwitchOptions options)
        {
            return PlannedSwitch(FailoverRequest(instance), options);
        }

        internal static Dictionary<string, object> PlannedSwitch(Dictionary<string, object> failover, PlannedSwitchOptions options)
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                { "failover", failover },
                { "salvage_tail", options.SalvageTail },
                { "compliance_drained", options.ComplianceDrained },
                { "drain_timeout_seconds", options.DrainTimeoutSeconds },
                { "service_timeout_seconds", options.ServiceTimeoutSeconds },
                { "baseline_path", NullIfEmpty(options.BaselinePath) },
            };
        }

        internal Dictionary<string, object> FailoverRequest(string instance)
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                { "target", Target(instance) },
                { "folders", FolderCommand.Folders(LogBackupShare, CopyFolder, AdditionalLogBackupFolder, PathMap) },
                { "journal", Journal() },
                { "active_servers", ActiveServer ?? new string[0] },
                { "mirror_file_share", NullIfEmpty(MirrorFileShare) },
                { "primary_sql_instance", NullIfEmpty(PrimarySqlInstance) },
                { "primary_mirror_sql_instance", NullIfEmpty(PrimaryMirrorSqlInstance) },
                { "backup_mirror_sql_instance", NullIfEmpty(BackupMirrorSqlInstance) },
                { "monitor_sql_instance", NullIfEmpty(MonitorSqlInstance) },
                { "outage_utc", OutageTime == null ? null : Document.Write(OutageTime.Value) },
                { "accept_data_loss", NullIfEmpty(AcceptDataLoss) },
                { "ignore_witness", IgnoreWitness ?? new string[0] },
                { "mirror_after_active_servers", MirrorAfterActiveServers.IsPresent },
                { "no_log_backup", NoLogBackup.IsPresent },
                { "log_backup_path", NullIfEmpty(LogBackupPath) },
                { "log_backup_interval_minutes", LogBackupIntervalMinutes },
                { "max_megabytes_per_second", MaxMegabytesPerSecond },
                { "probe_timeout_seconds", ProbeTimeoutSeconds },
                { "pool_timeout_seconds", PoolTimeoutSeconds },
                { "spellings", Spellings(PoolStateIdentity, ActiveListIdentity) },
            };
        }
    }
}
