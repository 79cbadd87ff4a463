using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Makes the plan of a failover as an object: print, save, compare, pipe. Reads only.</summary>
    [Cmdlet(VerbsCommon.New, "PChatFailoverPlan", DefaultParameterSetName = "Target")]
    [OutputType(typeof(Plan))]
    public sealed class NewPChatFailoverPlan : FailoverCommand
    {
        /// <summary>The instance acted on: host, host\instance or host,port.</summary>
        [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Target", ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Planned", ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [Parameter(Mandatory = true, Position = 0, ParameterSetName = "SalvageTail", ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [InstanceName(PassesOver = true)]
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

        public NewPChatFailoverPlan()
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

        protected override void ProcessRecord()
        {
            OnEach(Service, SqlInstance, WritePlan);
        }

        private void WritePlan(string instance)
        {
            Ended made = IsSwitch
                ? Read("pchat_planned_switch_plan", PlannedSwitchRequest(instance, Options()), instance, item => true)
                : Read("pchat_failover_plan", FailoverRequest(instance), instance, item => true);
            if (made != null)
            {
                WriteObject(made.AsPlan());
            }
        }
    }
}
