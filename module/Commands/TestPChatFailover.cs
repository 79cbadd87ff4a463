using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>The readiness test: named checks with value and wanted value. Reads only. A pool is tried first: the binder
    /// goes on from there to an instance, and not the other way round.</summary>
    [Cmdlet(VerbsDiagnostic.Test, "PChatFailover", DefaultParameterSetName = "Service")]
    [OutputType(typeof(CheckResult))]
    public sealed class TestPChatFailover : FailoverCommand
    {
        /// <summary>The instance acted on: host, host\instance or host,port.</summary>
        [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Target", ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [InstanceName(PassesOver = true)]
        [ValidateNotNullOrEmpty]
        public override string[] SqlInstance { get; set; }

        /// <summary>A pool of Get-CsService -PersistentChatServer: its databases, mirrors and servers are found by themselves.</summary>
        [Parameter(Mandatory = true, ParameterSetName = "Service", ValueFromPipeline = true)]
        [PoolService]
        public PSObject Service { get; set; }

        protected override void ProcessRecord()
        {
            OnEach(Service, SqlInstance, instance => Read("pchat_failover_check", FailoverRequest(instance), instance, null));
        }
    }
}
