using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Restores conference content from the partner of a damaged pool: checks, plan, confirmation, sync, wait. A plan
    /// handed in is what runs; so it is the default, else a piped plan would be bound by its PoolFqdn alone.</summary>
    [Cmdlet(VerbsLifecycle.Invoke, "PChatConferenceRestore", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium,
        DefaultParameterSetName = "Plan")]
    [OutputType(typeof(Plan), typeof(StepResult), typeof(BackupServiceModule), typeof(RunResult))]
    public sealed class InvokePChatConferenceRestore : PChatCommand
    {
        private const string Kind = "conference_restore";

        /// <summary>The pool that lost its content.</summary>
        [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Pools", ValueFromPipelineByPropertyName = true)]
        [PoolName]
        [ValidateNotNullOrEmpty]
        public string DamagedPoolFqdn { get; set; }

        /// <summary>The surviving pool; the partner is looked up without it.</summary>
        [Parameter(ParameterSetName = "Pools", ValueFromPipelineByPropertyName = true)]
        [PoolName]
        public string PoolFqdn { get; set; }

        /// <summary>A plan of an earlier -WhatIf.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "Plan", ValueFromPipeline = true)]
        public Plan Plan { get; set; }

        /// <summary>The modules, dotted or short, or All; ConfServices.DataConf without it.</summary>
        [Parameter(ParameterSetName = "Pools")]
        [ValidateNotNullOrEmpty]
        public string[] BackupModule { get; set; }

        /// <summary>Says that a failback of the damaged pool has ended, or that there was none.</summary>
        [Parameter(ParameterSetName = "Pools")]
        public SwitchParameter AfterPoolFailback { get; set; }

        /// <summary>The sync interval in seconds; the one of Get-CsBackupServiceConfiguration without it.</summary>
        [Parameter(ParameterSetName = "Pools")]
        [ValidateRange(1, 86400)]
        public int? SyncIntervalSeconds { get; set; }

        /// <summary>The limit on the call of the sync, and again on the wait, in seconds.</summary>
        [Parameter(ParameterSetName = "Pools")]
        [ValidateRange(1, 604800)]
        public int BackupServiceTimeoutSeconds { get; set; }

        /// <summary>The limit on the comparison of both stores, in seconds; it decides nothing.</summary>
        [Parameter(ParameterSetName = "Pools")]
        [ValidateRange(1, 604800)]
        public int ComparisonTimeoutSeconds { get; set; }

        /// <summary>File shares as the network names them, and the same as this machine opens them.</summary>
        [Parameter(ParameterSetName = "Pools")]
        public Hashtable PathMap { get; set; }

        /// <summary>The folder of the journal; the default is machine-wide. A restore has no second copy.</summary>
        [Parameter(ParameterSetName = "Pools")]
        public string JournalPath { get; set; }

        /// <summary>Answers the confirmation; it widens nothing.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        public InvokePChatConferenceRestore()
        {
            BackupServiceTimeoutSeconds = 14400;
            ComparisonTimeoutSeconds = 1800;
        }

        internal override bool AnswersYes
        {
            get { return Force.IsPresent; }
        }

        protected override void ProcessRecord()
        {
            if (IsStopping)
            {
                return;
            }
            RunResult otherwise = RunResult.Begun(Kind, string.Empty, string.Empty, PoolFqdn);
            otherwise.DamagedPoolFqdn = DamagedPoolFqdn;
            try
            {
                if (Plan != null)
                {
                    RunGivenPlan(otherwise);
                    return;
                }
                var work = new Work("pchat_conference_plan", Request())
                {
                    AfterStop = "Stopped while planning; nothing was changed.",
                    Item = item => true,
                };
                Ended made = Operate(work);
                if (made.Failure != null)
                {
                    WriteEnd(made, otherwise);
                    return;
                }
                RunPlan(made.AsPlan(), otherwise);
            }
            catch (PChatException e)
            {
                WriteRun(otherwise.Failed(e.Error));
            }
        }

        private void RunGivenPlan(RunResult otherwise)
        {
            Plan.MustBeFor("Invoke-PChatConferenceRestore");
            otherwise.DamagedPoolFqdn = Plan.RequestText("damaged_pool_fqdn");
            RunPlan(Plan, otherwise);
        }

        private Dictionary<string, object> Request()
        {
            return new Dictionary<string, object>
            {
                { "version", 1 },
                { "damaged_pool_fqdn", DamagedPoolFqdn },
                { "pool_fqdn", string.IsNullOrEmpty(PoolFqdn) ? null : PoolFqdn },
                { "backup_modules", BackupModule ?? new string[0] },
                { "after_pool_failback", AfterPoolFailback.IsPresent },
                { "sync_interval_seconds", SyncIntervalSeconds },
                { "backup_service_timeout_seconds", BackupServiceTimeoutSeconds },
                { "comparison_timeout_seconds", ComparisonTimeoutSeconds },
                { "path_map", Session.Entries(PathMap, "from", "to") },
                { "journal", JournalPlace.Document(this, JournalPath, null, true) },
            };
        }

        private void RunPlan(Plan plan, RunResult otherwise)
        {
            otherwise.PoolFqdn = plan.PoolFqdn;
            var change = new Change(this, "Restore conference content");
            string why;
            if (change.IsWhatIf)
            {
                change.Ask(plan.Summary, plan.Question, out why);
                WriteObject(plan);
                return;
            }
            // A plan that cannot be run is not worth a question: the run refuses it and names each check.
            if (plan.CanRun && change.Ask(plan.Summary, plan.Question, out why) != Approval.Yes)
            {
                otherwise.Digest = plan.Digest;
                WriteRun(otherwise.Declined(why));
                return;
            }
            var request = new Dictionary<string, object> { { "version", 1 }, { "plan", plan.Tree } };
            WriteEnd(Operate(new Work("pchat_run_start", request) { Changes = true }), otherwise);
        }
    }
}
