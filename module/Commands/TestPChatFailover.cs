using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>The readiness test: named checks with value and wanted value. Reads only.</summary>
    [Cmdlet(VerbsDiagnostic.Test, "PChatFailover")]
    [OutputType(typeof(CheckResult))]
    public sealed class TestPChatFailover : FailoverCommand
    {
        protected override void ProcessRecord()
        {
            AddLogins();
            foreach (string instance in SqlInstance)
            {
                Operate("pchat_failover_check", FailoverRequest(instance), instance, null);
            }
        }
    }
}
