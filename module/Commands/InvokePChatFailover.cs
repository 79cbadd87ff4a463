using System;
using System.Collections.Generic;
using System.IO;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>The whole failover: evidence, plan, confirmation, run. A plan handed in is what runs.</summary>
    [Cmdlet(VerbsLifecycle.Invoke, "PChatFailover", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High,
        DefaultParameterSetName = "Target")]
    [OutputType(typeof(Plan), typeof(StepResult), typeof(RunResult))]
    public sealed class InvokePChatFailover : FailoverCommand
    {
        private const string Caption = "Fail over";

        /// <summary>Parameters that a plan does not carry; all others of ours belong to the making of one.</summary>
        private static readonly HashSet<string> BesideAPlan = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
        {
            "Plan", "PlanPath", "Force", "SqlCredential", "Encrypt", "TrustServerCertificate", "ConnectTimeoutSeconds", "AddressMap",
            "PrimarySqlCredential", "PrimaryMirrorSqlCredential", "BackupMirrorSqlCredential", "MonitorSqlCredential",
            // Bound from the plan itself where it is piped in.
            "Database", "PoolFqdn",
        };

        private Plan current;

        /// <summary>The instance acted on: host, host\instance or host,port.</summary>
        [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Target", ValueFromPipelineByPropertyName = true)]
        [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Planned", ValueFromPipelineByPropertyName = true)]
        [Parameter(Mandatory = true, Position = 0, ParameterSetName = "SalvageTail", ValueFromPipelineByPropertyName = true)]
        [InstanceName]
        [ValidateNotNullOrEmpty]
        public override string[] SqlInstance { get; set; }

        /// <summary>A pool of Get-CsService -PersistentChatServer: its databases, mirrors and servers are found by themselves.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "Service", ValueFromPipeline = true)]
        [PoolService]
        public PSObject Service { get; set; }

        /// <summary>Both sites live: switches without losing a message, instead of failing over.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "Planned")]
        public SwitchParameter Planned { get; set; }

        /// <summary>The instance lives, its database is damaged: saves what its log still holds first.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "SalvageTail")]
        public SwitchParameter SalvageTail { get; set; }

        /// <summary>The operator's word that compliance has processed everything.</summary>
        [Parameter(ParameterSetName = "Planned")]
        [Parameter(ParameterSetName = "SalvageTail")]
        public SwitchParameter ComplianceDrained { get; set; }

        /// <summary>How long compliance may take to drain, and sessions to end, in seconds.</summary>
        [Parameter(ParameterSetName = "Planned")]
        [Parameter(ParameterSetName = "SalvageTail")]
        [ValidateRange(1, 86400)]
        public int DrainTimeoutSeconds { get; set; }

        /// <summary>How long one service may take to stop or start, in seconds.</summary>
        [Parameter(ParameterSetName = "Planned")]
        [Parameter(ParameterSetName = "SalvageTail")]
        [ValidateRange(1, 3600)]
        public int ServiceTimeoutSeconds { get; set; }

        /// <summary>The baseline at the backup site: the journal's second copy goes to its folder.</summary>
        [Parameter(ParameterSetName = "Planned")]
        [Parameter(ParameterSetName = "SalvageTail")]
        public string BaselinePath { get; set; }

        /// <summary>A plan of New-PChatFailoverPlan, or of an earlier -WhatIf.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "Plan", ValueFromPipeline = true)]
        public Plan Plan { get; set; }

        /// <summary>A file that holds a plan's Document.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "PlanPath")]
        [ValidateNotNullOrEmpty]
        public string PlanPath { get; set; }

        /// <summary>Answers the confirmation; it widens nothing.</summary>
        [Parameter]
        public SwitchParameter Force { get; set; }

        public InvokePChatFailover()
        {
            DrainTimeoutSeconds = PlannedSwitchOptions.DefaultDrainTimeoutSeconds;
            ServiceTimeoutSeconds = PlannedSwitchOptions.DefaultServiceTimeoutSeconds;
        }

        private bool IsSwitch
        {
            get { return Planned.IsPresent || SalvageTail.IsPresent; }
        }

        private PlannedSwitchOptions Options()
        {
            return new PlannedSwitchOptions
            {
                SalvageTail = SalvageTail.IsPresent,
                ComplianceDrained = ComplianceDrained.IsPresent,
                DrainTimeoutSeconds = DrainTimeoutSeconds,
                ServiceTimeoutSeconds = ServiceTimeoutSeconds,
                BaselinePath = BaselinePath,
            };
        }

        internal override bool AnswersYes
        {
            get { return Force.IsPresent; }
        }

        internal override void AddLogins(Session opened)
        {
            if (current == null)
            {
                base.AddLogins(opened);
                return;
            }
            AddLogins(opened, current, current.RequestText("monitor_sql_instance"));
        }

        protected override void ProcessRecord()
        {
            if (Plan != null || !string.IsNullOrEmpty(PlanPath))
            {
                RunGivenPlan();
                return;
            }
            if (Service != null)
            {
                RunService();
                return;
            }
            if (NamesInstanceBesideInput)
            {
                WriteRun(NoResult(IsSwitch ? "planned_switch" : "failover", SqlInstance[0]).Failed(InstanceBesideInput().Error));
                return;
            }
            foreach (string instance in SqlInstance)
            {
                if (IsStopping)
                {
                    return;
                }
                RunInstance(instance);
            }
        }

        private void RunService()
        {
            RunResult otherwise = NoResult("failover", null);
            try
            {
                Work work = FindPool(Service);
                work.AfterStop = "Stopped while planning; nothing was changed.";
                Ended found = Operate(work);
                if (found.Failure != null)
                {
                    WriteEnd(found, otherwise);
                    return;
                }
                RunInstance(Take(found.As<PoolTopology>()));
            }
            catch (PChatException e)
            {
                WriteRun(otherwise.Failed(e.Error));
            }
        }

        private void RunInstance(string instance)
        {
            RunResult otherwise = NoResult(IsSwitch ? "planned_switch" : "failover", instance);
            try
            {
                Work work = IsSwitch
                    ? new Work("pchat_planned_switch_plan", PlannedSwitchRequest(instance, Options()))
                    : new Work("pchat_failover_plan", FailoverRequest(instance));
                work.AfterStop = "Stopped while planning; nothing was changed.";
                work.Item = item => true;
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

        private void RunGivenPlan()
        {
            RunResult otherwise = RunResult.Begun("failover", null, null, null);
            try
            {
                foreach (string name in MyInvocation.BoundParameters.Keys)
                {
                    if (!BesideAPlan.Contains(name) && typeof(FailoverCommand).GetProperty(name) != null)
                    {
                        throw PChatException.BadValue(
                            "-" + name + " does not go with a plan, which has it inside.", "Make a new plan with it.");
                    }
                }
                Plan plan = Plan ?? ReadPlan();
                plan.MustBeFor("Invoke-PChatFailover");
                otherwise = RunResult.Begun(plan.Kind, plan.SqlInstance, plan.Database, plan.PoolFqdn);
                RunPlan(plan, otherwise);
            }
            catch (PChatException e)
            {
                WriteRun(otherwise.Failed(e.Error));
            }
        }

        private Plan ReadPlan()
        {
            try
            {
                string path = GetUnresolvedProviderPathFromPSPath(PlanPath);
                return Plan.Read(Json.Read(File.ReadAllText(path)));
            }
            catch (Exception e) when (e is FormatException || e is IOException || e is UnauthorizedAccessException ||
                e is ArgumentException || e is NotSupportedException || (e is RuntimeException && !(e is PipelineStoppedException)))
            {
                throw PChatException.BadValue(
                    "-PlanPath " + PlanPath + " holds no plan: " + e.Message, "Save a plan's Document there, whole and unchanged.");
            }
        }

        private void RunPlan(Plan plan, RunResult otherwise)
        {
            var change = new Change(this, plan.Kind == "planned_switch" ? "Switch" : Caption);
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
                otherwise.Loss = plan.Loss;
                WriteRun(otherwise.Declined(why));
                return;
            }
            current = plan;
            CloseSession();
            var request = new Dictionary<string, object> { { "version", 1 }, { "plan", plan.Tree } };
            WriteEnd(Operate(new Work("pchat_run_start", request) { Changes = true }), otherwise);
            current = null;
            CloseSession();
        }
    }
}
