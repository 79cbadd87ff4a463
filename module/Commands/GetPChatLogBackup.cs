using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Documents;

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
                var request = new Dictionary<string, object>
                {
                    { "version", 1 },
                    { "target", Target(instance) },
                    { "folders", Folders() },
                    { "journal", Journal() },
                };
                KeyValuePair<string, object>? ended = Operate("pchat_log_backup_list", request, instance, null);
                if (ended != null)
                {
                    WriteVerbose(Document.Read<LogChainSummary>(ended.Value.Value).Text);
                }
            }
        }
    }
}
