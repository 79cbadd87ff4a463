using System;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Waits until the backup service of two paired pools has settled, as far as its words can be believed.</summary>
    [Cmdlet(VerbsLifecycle.Wait, "PChatBackupService")]
    [OutputType(typeof(BackupServiceModule))]
    public sealed class WaitPChatBackupService : PChatCommand
    {
        // Several objects of one restore name the same pair; it is waited for once.
        private readonly List<Dictionary<string, object>> requests = new List<Dictionary<string, object>>();

        /// <summary>The surviving pool. After Invoke-CsBackupServiceSync, which emits nothing, it has to be named.</summary>
        [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [PoolName]
        [ValidateNotNullOrEmpty]
        public string[] PoolFqdn { get; set; }

        /// <summary>The damaged pool; the partner is looked up without it. Another than the partner is refused.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string DamagedPoolFqdn { get; set; }

        /// <summary>The modules, dotted or short, or All; ConfServices.DataConf without it.</summary>
        [Parameter]
        [ValidateNotNullOrEmpty]
        public string[] BackupModule { get; set; }

        /// <summary>Waits for both directions, and for all modules where none is named.</summary>
        [Parameter]
        public SwitchParameter HealthCheck { get; set; }

        /// <summary>The sync interval in seconds; the one of Get-CsBackupServiceConfiguration without it.</summary>
        [Parameter]
        [ValidateRange(1, 86400)]
        public int? SyncIntervalSeconds { get; set; }

        /// <summary>The limit on the wait, in seconds.</summary>
        [Parameter]
        [ValidateRange(1, 604800)]
        public int BackupServiceTimeoutSeconds { get; set; }

        public WaitPChatBackupService()
        {
            BackupServiceTimeoutSeconds = 14400;
        }

        protected override void BeginProcessing()
        {
            base.BeginProcessing();
            // An empty pipeline brings no record; a pool that is named is waited for all the same.
            if (MyInvocation.BoundParameters.ContainsKey("PoolFqdn"))
            {
                Add();
            }
        }

        protected override void ProcessRecord()
        {
            Add();
        }

        private void Add()
        {
            foreach (string pool in PoolFqdn)
            {
                // A pool named alone, and again with its partner, is one wait; two partners are two.
                Dictionary<string, object> known = requests.Find(
                    r => IsSame(r["pool_fqdn"], pool) &&
                        (string.IsNullOrEmpty(DamagedPoolFqdn) || r["damaged_pool_fqdn"] == null || IsSame(r["damaged_pool_fqdn"], DamagedPoolFqdn)));
                if (known == null)
                {
                    known = Request(pool);
                    requests.Add(known);
                }
                if (!string.IsNullOrEmpty(DamagedPoolFqdn))
                {
                    known["damaged_pool_fqdn"] = DamagedPoolFqdn;
                }
            }
        }

        private static bool IsSame(object known, string name)
        {
            return string.Equals((string)known, name, StringComparison.OrdinalIgnoreCase);
        }

        private Dictionary<string, object> Request(string pool)
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                { "pool_fqdn", pool },
                { "damaged_pool_fqdn", null },
                { "backup_modules", BackupModule ?? new string[0] },
                { "health_check", HealthCheck.IsPresent },
                { "sync_interval_seconds", SyncIntervalSeconds },
                { "backup_service_timeout_seconds", BackupServiceTimeoutSeconds },
            };
        }

        protected override void EndProcessing()
        {
            foreach (Dictionary<string, object> request in requests)
            {
                if (IsStopping)
                {
                    return;
                }
                Read("pchat_backup_service_wait", request, request["pool_fqdn"], null);
            }
        }
    }
}
