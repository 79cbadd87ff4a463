using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>A command that has to know where log backups lie.</summary>
    public abstract class FolderCommand : TargetCommand
    {
        /// <summary>The share of the log backups, instead of the one that log shipping's record names.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string LogBackupShare { get; set; }

        /// <summary>The copy folder as the instance names it, instead of the record's.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string CopyFolder { get; set; }

        /// <summary>Further folders that may hold log backups, as the instance names them.</summary>
        [Parameter]
        public string[] AdditionalLogBackupFolder { get; set; }

        /// <summary>Folders as the instance or the network names them, and as this machine opens them.</summary>
        [Parameter]
        public Hashtable PathMap { get; set; }

        /// <summary>The folder of the journal; the default is machine-wide.</summary>
        [Parameter]
        public string JournalPath { get; set; }

        internal Dictionary<string, object> Folders()
        {
            return Folders(LogBackupShare, CopyFolder, AdditionalLogBackupFolder, PathMap);
        }

        /// <summary>Where log backups may lie, as a document.</summary>
        internal static Dictionary<string, object> Folders(string share, string copyFolder, string[] further, Hashtable pathMap)
        {
            return new Dictionary<string, object>
            {
                { "log_backup_share", NullIfEmpty(share) },
                { "copy_folder", NullIfEmpty(copyFolder) },
                { "additional_log_backup_folders", further ?? new string[0] },
                { "path_map", Session.Entries(pathMap, "from", "to") },
            };
        }

        internal Dictionary<string, object> Journal()
        {
            return JournalPlace.Document(this, JournalPath, null, false);
        }
    }
}
