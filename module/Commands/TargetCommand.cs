using System;
using System.Collections;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>A command about one database on one or several instances, taken by property name from the pipeline.</summary>
    public abstract class TargetCommand : PChatCommand
    {
        /// <summary>The instance acted on: host, host\instance or host,port.</summary>
        [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
        [ValidateNotNullOrEmpty]
        public string[] SqlInstance { get; set; }

        /// <summary>The database; mgc unless another is named.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        [ValidateNotNullOrEmpty]
        public string Database { get; set; }

        /// <summary>The Persistent Chat pool, carried through to the outputs.</summary>
        [Parameter(ValueFromPipelineByPropertyName = true)]
        public string PoolFqdn { get; set; }

        protected TargetCommand()
        {
            Database = "mgc";
        }

        internal Dictionary<string, object> Target(string instance)
        {
            return new Dictionary<string, object>
            {
                { "sql_instance", instance },
                { "database", Database },
                { "pool_fqdn", NullIfEmpty(PoolFqdn) },
            };
        }

        /// <summary>A parameter without a value travels as null.</summary>
        internal static object NullIfEmpty(string text)
        {
            return string.IsNullOrEmpty(text) ? null : text;
        }

        /// <summary>A path of this machine: the shell's own folder counts, not the process's.</summary>
        internal object ClientPath(string path)
        {
            return string.IsNullOrEmpty(path) ? null : GetUnresolvedProviderPathFromPSPath(path);
        }

        /// <summary>The journal's place as a document.</summary>
        internal Dictionary<string, object> JournalPlace(string path, string copyPath, bool noCopy)
        {
            return new Dictionary<string, object>
            {
                { "journal_path", ClientPath(path) },
                { "journal_copy_path", ClientPath(copyPath) },
                { "no_journal_copy", noCopy },
            };
        }

        /// <summary>Where log backups may lie, as a document.</summary>
        internal Dictionary<string, object> FoldersDocument(string share, string copyFolder, string[] additional, Hashtable pathMap)
        {
            return new Dictionary<string, object>
            {
                { "log_backup_share", NullIfEmpty(share) },
                { "copy_folder", NullIfEmpty(copyFolder) },
                { "additional_log_backup_folders", additional ?? new string[0] },
                { "path_map", Session.Entries(pathMap, "from", "to") },
            };
        }
    }
}
