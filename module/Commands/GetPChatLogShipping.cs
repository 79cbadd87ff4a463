using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Reads the secondary's log shipping record, database state, redo point, jobs and lag.</summary>
    [Cmdlet(VerbsCommon.Get, "PChatLogShipping")]
    [OutputType(typeof(LogShipping))]
    public sealed class GetPChatLogShipping : TargetCommand
    {
        protected override void ProcessRecord()
        {
            foreach (string instance in SqlInstance)
            {
                var request = new Dictionary<string, object> { { "version", 1 }, { "target", Target(instance) } };
                Read("pchat_log_shipping_get", request, instance, null);
            }
        }
    }
}
