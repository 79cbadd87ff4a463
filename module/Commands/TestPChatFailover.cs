using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>The readiness test: named checks with value and wanted value. Reads only.</summary>
    [Cmdlet(VerbsDiagnostic.Test, "PChatFailover")]
    [OutputType(typeof(CheckResult))]
    public sealed class TestPChatFailover : FailoverCommand
    {
        protected override void ProcessRecord()
        {
            foreach (string instance in SqlInstance)
            {
                try
                {
                    Read("pchat_failover_check", FailoverRequest(instance), instance, null);
                }
                catch (PChatException e)
                {
                    WriteError(e.ToErrorRecord(instance));
                }
            }
        }
    }
}
