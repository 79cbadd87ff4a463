using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Lists the sessions in the database.</summary>
    [Cmdlet(VerbsCommon.Get, "PChatConnection")]
    [OutputType(typeof(Connection))]
    public sealed class GetPChatConnection : TargetCommand
    {
        protected override void ProcessRecord()
        {
            foreach (string instance in SqlInstance)
            {
                var request = new Dictionary<string, object> { { "version", 1 }, { "target", Target(instance) } };
                Read("pchat_connection_list", request, instance, null);
            }
        }
    }
}
