using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Makes the plan of a failover as an object: print, save, compare, pipe. Reads only.</summary>
    [Cmdlet(VerbsCommon.New, "PChatFailoverPlan")]
    [OutputType(typeof(Plan))]
    public sealed class NewPChatFailoverPlan : FailoverCommand
    {
        protected override void ProcessRecord()
        {
            AddLogins();
            foreach (string instance in SqlInstance)
            {
                KeyValuePair<string, object>? made =
                    Operate("pchat_failover_plan", FailoverRequest(instance), instance, (kind, item) => true);
                if (made != null)
                {
                    WriteObject(Plan.Read(made.Value.Value));
                }
            }
        }
    }
}
