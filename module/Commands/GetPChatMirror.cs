using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Commands
{
    /// <summary>Reads database mirroring as one partner sees it, and finds orphaned copies.</summary>
    [Cmdlet(VerbsCommon.Get, "PChatMirror")]
    [OutputType(typeof(DatabaseMirror))]
    public sealed class GetPChatMirror : TargetCommand
    {
        protected override void ProcessRecord()
        {
            foreach (string instance in SqlInstance)
            {
                var request = new Dictionary<string, object> { { "version", 1 }, { "target", Target(instance) } };
                Read("pchat_mirror_get", request, instance, null);
            }
        }
    }
}
