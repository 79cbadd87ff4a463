using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Lists every log backup on the share and in the copy folder with its LSNs and status.</summary>
    [Cmdlet(VerbsCommon.Get, "PChatLogBackup")]
    [OutputType(typeof(LogBackup))]
    public sealed class GetPChatLogBackup : FolderCommand
    {
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
                        { "folders", Folders() },
                        { "journal", Journal() },
                    };
                    Ended ended = Read("pchat_log_backup_list", request, instance, null);
                    if (ended != null)
                    {
                        var chain = ended.As<LogChainSummary>();
                        Writer.Message(chain.Verdict == "complete" ? "verbose" : "warning", chain.Text);
                    }
                }
                catch (PChatException e)
                {
                    WriteError(e.ToErrorRecord(instance));
                }
            }
        }
    }
}
