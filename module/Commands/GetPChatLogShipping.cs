using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Reads the secondary's log shipping record, database state, redo point, jobs and lag.</summary>
    [Cmdlet(VerbsCommon.Get, "PChatLogShipping")]
    [OutputType(typeof(LogShipping))]
    public sealed class GetPChatLogShipping : TargetCommand
    {
        /// <summary>The folder of the journal; the default is machine-wide.</summary>
        [Parameter]
        public string JournalPath { get; set; }

        protected override void ProcessRecord()
        {
            foreach (string instance in SqlInstance)
            {
                try
                {
                    var request = new Dictionary<string, object>
                    {
                        { "version", 1 },
                        { "target", Target(instance) },
                        { "journal", JournalPlace.Document(this, JournalPath, null, false) },
                    };
                    Read("pchat_log_shipping_get", request, instance, null);
                }
                catch (PChatException e)
                {
                    WriteError(e.ToErrorRecord(instance));
                }
            }
        }
    }
}
